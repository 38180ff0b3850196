// What the files tell of a load before it is tried: functions, symbols, system states, room, and the newer set that is or is not in the way.
using System.Collections.Immutable;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Core.Recovery;
using LivePatchd.Core.Tests.Policy.Trust;

namespace LivePatchd.Core.Tests.Planning;

public sealed class AdmissionForesightTests
{
    private static readonly PatchName B = PatchName.Parse("lp_b");

    private static PatchFootprint Footprint(string function, bool? replace = null, params SystemState[] states) =>
        new(new PatchTables(PatchTablesSource.KpatchBuild, [new("vmlinux", [new(function, 0)], PatchCallbacks.None)], replace, [.. states]), []);

    private static WantedPatch File(string name, int build, PatchFootprint? footprint, Manifest? manifest = null)
    {
        var file = ModelHost.File(name, build);
        return file with { Module = file.Module with { Footprint = footprint }, Manifest = manifest };
    }

    private static (LifecycleEvent, Reason?, string?) Said(PlannerInput input)
    {
        var verdict = Planner.Decide(input).Verdicts.Single(v => v.Name == Scene.Name);
        return (verdict.Event, verdict.Reason, verdict.Detail);
    }

    [Fact]
    public void Listed_functions_are_held_against_those_of_the_file()
    {
        static (LifecycleEvent, Reason?, string?) Listed(PatchFootprint? footprint, params string[] functions) =>
            Said(new Scene { Wanted = [File("lp_a", 1, footprint, Scene.Plain with { Functions = [.. functions] })] }.Input);

        Assert.Equal((LifecycleEvent.Ready, (Reason?)null, (string?)null), Listed(Footprint("one"), "one"));
        Assert.Equal(LifecycleEvent.Ready, Listed(Footprint("one")).Item1);
        Assert.Equal(LifecycleEvent.Ready, Listed(null, "one").Item1);
        Assert.Equal(LifecycleEvent.Ready, Listed(PatchFootprint.Unknown, "one").Item1);
        Assert.Equal((LifecycleEvent.Refused, (Reason?)Reason.ManifestMismatch, "functions: two, which the module does not replace"), Listed(Footprint("one"), "one", "two"));
        Assert.Equal((LifecycleEvent.Refused, (Reason?)Reason.ManifestMismatch, "functions: the module replaces one too"), Listed(
            new PatchFootprint(new PatchTables(PatchTablesSource.KpatchBuild, [new("vmlinux", [new("two", 0), new("one", 0)], PatchCallbacks.None)], null, []), []), "two"));
    }

    [Fact]
    public void What_never_changes_refuses_and_what_may_change_is_looked_at_again()
    {
        var input = new Scene { Wanted = [File("lp_a", 1, Footprint("one"))] }.Input;
        var missing = new SymbolFacts([new SymbolFinding(new NeededSymbol("vmlinux", "one", 0, IsFunction: true), 0, [])], null);
        var (e, reason, detail) = Said(input with { Preflight = PreflightFacts.None with { Symbols = PreflightFacts.None.Symbols.Add(Scene.Digest, missing), ReadAt = input.Now } });
        Assert.Equal((LifecycleEvent.Refused, (Reason?)Reason.SymbolNotFound), (e, reason));
        Assert.Contains("one", detail, StringComparison.Ordinal);

        var low = Planner.Decide(input with { Preflight = PreflightFacts.None with { Room = new RoomFacts(0, null) } });
        var verdict = Assert.Single(low.Verdicts);
        Assert.Equal((LifecycleEvent.Blocked, (Reason?)Reason.MemoryLow, (Instant?)Scene.At(1015)), (verdict.Event, verdict.Reason, verdict.RetryAt));
        Assert.Empty(low.Steps);
    }

    [Fact]
    public void States_of_a_loaded_patch_count_only_where_its_own_file_tells_them()
    {
        var loaded = new Scene
        {
            Patches = [Scene.Loaded(KernelPatchState.Active, "lp_b")],
            Journal = [Scene.Record(RecordKind.LoadIntent, 1, "lp_b"), Scene.Record(RecordKind.Loaded, 2, "lp_b"), Scene.Record(RecordKind.Activated, 3, "lp_b")],
        };
        var older = File("lp_a", 1, Footprint("one", replace: null, new SystemState(7, 1)));
        var newer = Footprint("two", replace: null, new SystemState(7, 2));
        Assert.Equal(
            (LifecycleEvent.Refused, (Reason?)Reason.IncompatibleState, "system state 7 has version 2 by lp_b, and 1 here"),
            Said((loaded with { Wanted = [older, File("lp_b", 1, newer), File("lp_b", 1, newer)] }).Input));
        // Another build, a file that was not looked into, somebody else's patch, no file at all.
        Assert.NotEqual(Reason.IncompatibleState, Said((loaded with { Wanted = [older, File("lp_b", 2, newer)] }).Input).Item2);
        Assert.NotEqual(Reason.IncompatibleState, Said((loaded with { Wanted = [older, File("lp_b", 1, null)] }).Input).Item2);
        Assert.NotEqual(Reason.IncompatibleState, Said((loaded with { Wanted = [older, File("lp_b", 1, newer)], Journal = [] }).Input).Item2);
        Assert.NotEqual(Reason.IncompatibleState, Said((loaded with { Wanted = [older] }).Input).Item2);
    }

    [Fact]
    public void A_newer_set_that_cannot_be_loaded_keeps_nothing_out()
    {
        var newer = Streams.File("lp_b", 1, "core", 2);
        var sets = new Scene { Wanted = [Streams.File("lp_a", 1, "core", 1), newer] };
        Assert.Equal((LifecycleEvent.Refused, (Reason?)Reason.MixedSets), (sets.Verdict.Event, sets.Verdict.Reason));
        Scene[] free =
        [
            sets with { Journal = [Scene.Record(RecordKind.OperatorReverted, 5, "lp_b")] },
            sets with { Journal = [Scene.Record(RecordKind.Quarantined, 5, "lp_b", Reason.KernelOops)] },
            sets with { Journal = [Scene.Record(RecordKind.LoadFailed, 5, "lp_b", Reason.SymbolNotFound)] },
            sets with { Wanted = [sets.Wanted[0], newer with { Manifest = newer.Manifest! with { Kernels = ["6.1.0"] } }] },
        ];
        Assert.All(free, s => Assert.Equal((LifecycleEvent.Ready, (Reason?)null), (s.Verdict.Event, s.Verdict.Reason)));
        // What only waits does not make room.
        Assert.Equal(Reason.MixedSets, (sets with { Journal = [Scene.Record(RecordKind.LoadFailed, 999, "lp_b", Reason.OutOfMemory)] }).Verdict.Reason);
    }

    [Fact]
    public void Patches_that_exclude_each_other()
    {
        static Obstacle? Check(Scene scene) => Conflicts.Check(scene.Wanted[0], scene.Input);
        static void Free(Scene scene) => Assert.Null(Check(scene));
        static void Kept(Scene scene, string detail) => Assert.Equal((LifecycleEvent.Blocked, Reason.ConflictingPatch, detail), (Check(scene)!.Event, Check(scene)!.Reason, Check(scene)!.Detail));

        var excludes = Scene.File(Scene.Plain with { Conflicts = [Scene.Name, B] });
        var other = ModelHost.File("lp_b", 1);
        var both = new Scene { Wanted = [excludes, other] };
        Kept(both, "its manifest excludes lp_b");
        Kept(new Scene { Wanted = [excludes], Patches = [Scene.Loaded(KernelPatchState.Active, "lp_b")] }, "its manifest excludes lp_b");
        Free(new Scene { Wanted = [excludes], Patches = [Scene.Loaded(KernelPatchState.Unused, "lp_b")] });
        Free(new Scene { Wanted = [excludes] });
        Free(both with { Wanted = [Scene.File(excludes.Manifest! with { Replaces = [B] }), other] });
        Free(both with { Journal = [Scene.Record(RecordKind.OperatorReverted, 5, "lp_b")] });
        Free(both with { Journal = [Scene.Record(RecordKind.Quarantined, 5, "lp_b", Reason.KernelOops)] });

        var excluding = other with { Manifest = Scene.Plain with { Conflicts = [Scene.Name] } };
        Kept(new Scene { Wanted = [Scene.File(null), excluding] }, "the manifest of lp_b excludes it");
        Kept(new Scene { Wanted = [Scene.File(Scene.Plain), excluding] }, "the manifest of lp_b excludes it");
        Free(new Scene { Wanted = [Scene.File(Scene.Plain with { Replaces = [B] }), excluding] });
        Free(new Scene { Wanted = [Scene.File(null), other with { Manifest = Scene.Plain }] });
        Free(new Scene { Wanted = [Scene.File(null), excluding], Journal = [Scene.Record(RecordKind.OperatorReverted, 5, "lp_b")] });
    }

    [Fact]
    public void Who_has_the_name_is_told_with_the_builds_where_they_differ()
    {
        static string Said(LoadedPatch loaded, WantedPatch? wanted) => Occupant.Describe(new Situation(Scene.Name, loaded, null, wanted, false, null, false, false));

        var file = ModelHost.File("lp_a", 1);
        var unmarked = file with { Module = file.Module with { Info = file.Module.Info with { BuildId = null } } };
        var longer = file with { Module = file.Module with { Info = file.Module.Info with { BuildId = BuildId.TryParse("00112233445566778899") } } };
        Assert.Equal("a livepatch that somebody else loaded", Said(Scene.Loaded(KernelPatchState.Active), file));
        Assert.Equal("the rest of a livepatch that is out of action: rmmod lp_a", Said(Scene.Loaded(KernelPatchState.Unused), null));
        Assert.Equal("the rest of a livepatch, which something still holds", Said(Scene.Loaded(KernelPatchState.Pinned), unmarked));
        Assert.Equal("a module that is no livepatch", Said(Scene.Loaded(KernelPatchState.Pinned) with { Livepatch = false, BuildId = null }, file));
        Assert.Equal("a livepatch that somebody else loaded; its build id is 0002, the file's 0001", Said(Scene.Loaded(KernelPatchState.Active, build: 2), file));
        Assert.EndsWith("its build id is 0002, the file's 001122334455", Said(Scene.Loaded(KernelPatchState.Active, build: 2), longer), StringComparison.Ordinal);
    }
}
