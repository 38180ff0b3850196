// What is foreseen of a load, by tables: each fact that stands against one, each that only deserves a note, and silence where nothing is known.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Core.Tests.Policy.Preflight;

public sealed class ForesightTests
{
    private const string Function = "cmdline_proc_show";

    private static readonly Sha256 Digest = Sha256.TryParse(new string('a', 64))!.Value;
    private static readonly Instant Now = new(TimeSpan.FromSeconds(100), DateTimeOffset.UnixEpoch);
    private static readonly KernelFacts Kernel = new("6.12.0", "boot", true, true, true, false, LockdownLevel.None, false, 0, 0, 0);

    [Fact]
    public void Nothing_known_is_nothing_against_it()
    {
        var foresight = Of(Patch(), PreflightFacts.None);
        Assert.Null(foresight.Reason);
        Assert.Empty(foresight.Notes);
    }

    [Theory]
    [InlineData("lp_target", false, Reason.DependencyNotLoaded)]
    [InlineData("lp_target", true, null)]
    [InlineData("", false, null)]
    public void What_it_depends_on_must_be_there(string depends, bool present, Reason? expected)
    {
        var patch = Patch(depends: depends.Length > 0 ? [depends] : []);
        var foresight = Of(patch, Facts() with { Dependencies = present ? [depends] : [] });
        Assert.Equal(expected, foresight.Reason);
        Assert.True(expected is null || foresight.Detail!.Contains(depends, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0, "cmdline_proc_show", null)]
    [InlineData(0, "", Reason.SymbolNotFound)]
    [InlineData(0, "cmdline_proc_show cmdline_proc_show", Reason.SymbolAmbiguous)]
    [InlineData(1, "cmdline_proc_show", null)]
    [InlineData(2, "cmdline_proc_show cmdline_proc_show", null)]
    [InlineData(3, "cmdline_proc_show cmdline_proc_show", Reason.SymbolNotFound)]
    [InlineData(0, "cmdline_proc_show.cold", Reason.SymbolNotFound)]
    [InlineData(0, "cmdline_proc_show.constprop.0", Reason.SymbolNotFound)]
    [InlineData(0, "cmdline_proc_show.isra.0", Reason.SymbolNotFound)]
    [InlineData(0, "cmdline_proc_show.part.0", Reason.SymbolNotFound)]
    [InlineData(0, "cmdline_proc_show.llvm.123", null)]
    [InlineData(0, "cmdline_proc_show.llvm.123 cmdline_proc_show.llvm.456", Reason.SymbolNotFound)]
    [InlineData(0, "cmdline_proc_show_more cmdline_proc", Reason.SymbolNotFound)]
    public void The_function_must_be_the_one_that_is_meant(ulong position, string symbols, Reason? expected)
    {
        var patch = Patch(position: position);
        var foresight = Of(patch, Facts(Census(patch, symbols)));
        Assert.Equal(expected, foresight.Reason);
        if (symbols.Contains('.', StringComparison.Ordinal))
            Assert.Contains(symbols.Split(' ')[0], foresight.Detail ?? Assert.Single(foresight.Notes, n => n.Kind is PreflightNoteKind.Unknown).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_read_is_said_and_nothing_is_concluded()
    {
        var facts = Facts(new SymbolFacts([], "/proc/kallsyms: EACCES")) with
        {
            Trace = new TraceFacts([], [], [], ["enabled_functions cannot be read (EACCES)"]),
        };
        var foresight = Of(Patch(), facts);
        Assert.Null(foresight.Reason);
        Assert.Equal([PreflightNoteKind.Unknown, PreflightNoteKind.Unknown], foresight.Notes.Select(n => n.Kind));
    }

    [Theory]
    [InlineData("f (1) R I     \ttramp: 0xff (kprobe_ftrace_handler+0x0/0x1d0) ->kprobe_ftrace_handler+0x0/0x1d0", Reason.FtraceConflict, null)]
    [InlineData("f (2) R I      ->arch_ftrace_ops_list_func+0x0/0x1d0", Reason.FtraceConflict, null)]
    [InlineData("f (1)   I     \ttramp: 0xff (klp_ftrace_handler+0x0/0x100)", null, null)]
    [InlineData("f (1) R        \ttramp: 0xff (kprobe_ftrace_handler+0x0/0x1d0)", null, null)]
    [InlineData("f (1)          \ttramp: 0xff (function_trace_call+0x0/0x110)", null, PreflightNoteKind.Traced)]
    [InlineData("f (1)     D    \n\tdirect-->bpf_trampoline_6442+0x0/0x1000", null, PreflightNoteKind.BpfAttached)]
    [InlineData("f (1)   I D    \n\tdirect-->bpf_trampoline_6442+0x0/0x1000", Reason.FtraceConflict, null)]
    [InlineData("f [other] (1)  I   \ttramp: 0xff (somebody+0x0/0x10)", null, null)]
    [InlineData("g (1)   I      \ttramp: 0xff (somebody+0x0/0x10)", null, null)]
    public void Who_may_redirect_a_function_stands_in_the_way(string text, Reason? expected, PreflightNoteKind? note)
    {
        var foresight = Of(Patch(), Facts() with { Trace = Traced(text.Replace("f ", Function + " ", StringComparison.Ordinal)) });
        Assert.Equal(expected, foresight.Reason);
        Assert.Equal(note is { } kind ? [kind] : [], foresight.Notes.Select(n => n.Kind));
        if (text.Contains("bpf", StringComparison.Ordinal))
            Assert.Contains("bpf_trampoline_6442", foresight.Detail ?? foresight.Notes[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_probe_in_the_way_is_named()
    {
        var trace = Traced($"{Function} (1) R I     \ttramp: 0xff (kprobe_ftrace_handler+0x0/0x1d0)") with
        {
            Probes = [new ProbePoint(Function, 4, null, false, true, false)],
        };
        var foresight = Of(Patch(), Facts() with { Trace = trace });
        Assert.Equal(Reason.FtraceConflict, foresight.Reason);
        Assert.Contains($"a kprobe ({Function}+0x4) with a post handler", foresight.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4UL, true, false, PreflightNoteKind.Traced, "probe lab/at")]
    [InlineData(10UL, false, false, PreflightNoteKind.ProbeStops, "a kprobe")]
    [InlineData(10UL, false, true, null, "")]
    public void A_probe_goes_on_or_stops_firing(ulong offset, bool onFtrace, bool isOff, PreflightNoteKind? expected, string name)
    {
        var trace = TraceFacts.None with
        {
            Probes = [new ProbePoint(Function, offset, null, false, onFtrace, isOff), new ProbePoint("another", 0, null, false, true, false)],
            Events = [new ProbeEvent("lab/at", Function, 0, null, false)],
        };
        var foresight = Of(Patch(), Facts() with { Trace = trace });
        Assert.Null(foresight.Reason);
        Assert.Equal(expected is { } kind ? [kind] : [], foresight.Notes.Select(n => n.Kind));
        Assert.All(foresight.Notes, n => Assert.StartsWith(name, n.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void Another_patch_of_the_function_is_stacked_upon_and_is_no_conflict()
    {
        var seen = Seen(Loaded("lp_other", Function));
        var held = Traced($"{Function} (1)   I D   \ttramp: 0xff (somebody+0x0/0x100)");
        var foresight = Of(Patch(), Facts() with { Trace = held }, seen);
        Assert.Null(foresight.Reason);
        var note = Assert.Single(foresight.Notes);
        Assert.Equal(PreflightNoteKind.StacksOn, note.Kind);
        Assert.Contains("lp_other", note.Text, StringComparison.Ordinal);
        Assert.Contains(Function, note.Text, StringComparison.Ordinal);

        Assert.Equal([PreflightNoteKind.Replaces], Of(Patch(replace: true), Facts(), seen).Notes.Select(n => n.Kind));
        Assert.Empty(Of(Patch(), Facts(), Seen(Loaded("lp_other", "uptime_proc_show"))).Notes);
    }

    [Theory]
    [InlineData(1, 2u, false, null)]
    [InlineData(1, 1u, false, Reason.IncompatibleState)]
    [InlineData(2, 1u, false, null)]
    [InlineData(2, 1u, true, Reason.IncompatibleState)]
    [InlineData(1, 3u, true, null)]
    public void System_states_must_be_taken_over(ulong id, uint version, bool replace, Reason? expected)
    {
        var patch = Patch(replace: replace, states: [new SystemState(id, version)]);
        var installed = ImmutableDictionary<PatchName, PatchFootprint>.Empty.Add(
            PatchName.Parse("lp_other"), Patch(states: [new SystemState(1, 2)]).Footprint!);
        Assert.Equal(expected, Foresight.Of(patch, Facts(), Seen(Loaded("lp_other", "other")), installed).Reason);
        Assert.Null(Foresight.Of(patch, Facts(), Seen(), installed).Reason);
    }

    [Theory]
    [InlineData(1L << 40, 1L << 40, null)]
    [InlineData(8L << 20, 1L << 40, Reason.MemoryLow)]
    [InlineData(1L << 40, 1000L, Reason.DiskSpaceLow)]
    public void There_must_be_room(long memory, long disk, Reason? expected) =>
        Assert.Equal(expected, Of(Patch(), Facts() with { Room = new RoomFacts(memory, disk) }).Reason);

    [Theory]
    [InlineData("virtio_blk", null)]
    [InlineData("lp_hold.v2", null)]
    [InlineData("virtio-blk", "virtio_blk")]
    [InlineData("snd,hda", "snd_hda")]
    [InlineData("zfs.ko", "called zfs")]
    [InlineData("virtio-blk.ko.xz", "called virtio_blk")]
    [InlineData("drivers/block/virtio_blk", "characters")]
    [InlineData("virtio_blk ", "characters")]
    [InlineData("virtio_blk\n", "characters")]
    [InlineData("", "empty")]
    [InlineData("a234567890123456789012345678901234567890123456789012345", null)]
    [InlineData("a2345678901234567890123456789012345678901234567890123456", "55")]
    public void AnObject_ThatNoModuleCanBe_IsRefused(string name, string? why)
    {
        var foresight = Of(For(new PatchedObject("vmlinux", [new(Function, 0)], PatchCallbacks.None), new PatchedObject(name, [new("f", 0)], PatchCallbacks.None)), PreflightFacts.None);
        Assert.Equal(why is null ? null : Reason.ObjectNeverMatches, foresight.Reason);
        if (why is not null)
            Assert.Contains(why, foresight.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void APatch_AttachedToNothing_IsRefused()
    {
        Assert.Equal(Reason.ObjectNeverMatches, Of(For(), PreflightFacts.None).Reason);
        var named = new PatchedObject("vmlinux", [new(Function, 0)], PatchCallbacks.None) { IsNamedVmlinux = true };
        Assert.Equal(Reason.ObjectNeverMatches, Of(For(named), PreflightFacts.None).Reason);
        var builtIn = For(new PatchedObject("ext4", [new("f", 0)], PatchCallbacks.None));
        Assert.Null(Of(builtIn, Facts()).Reason);
        Assert.Equal(Reason.ObjectNeverMatches, Of(builtIn, Facts() with { BuiltInModules = ["ext4"] }).Reason);
    }

    [Fact]
    public void A_module_that_is_not_loaded_is_a_note()
    {
        var footprint = new PatchFootprint(new PatchTables(PatchTablesSource.KpatchBuild, [new("nf_tables", [new("nft_do_chain", 0)], PatchCallbacks.None)], null, []), []);
        var patch = Patch() with { Footprint = footprint };
        var facts = Facts(Census(patch, ""));
        var foresight = Of(patch, facts);
        Assert.Null(foresight.Reason);
        Assert.Equal([PreflightNoteKind.TargetNotLoaded], foresight.Notes.Select(n => n.Kind));

        var loaded = new SymbolCensus(NeededSymbol.Of(footprint, static _ => true));
        Assert.Equal(Reason.SymbolNotFound, Of(patch, Facts(new SymbolFacts(loaded.Findings(), null)) with { LoadedModules = ["nf_tables"] }).Reason);
    }

    /// <summary>An index never says that a need is met which a full count finds unmet.</summary>
    [Fact]
    public void The_index_and_the_census_agree()
    {
        var random = new Random(22);
        for (var round = 0; round < 300; round++)
        {
            var patch = Patch(position: (ulong)random.Next(4));
            var symbols = string.Join(' ', Enumerable.Range(0, random.Next(5)).Select(_ => random.Next(3) == 0 ? Function + ".cold" : Function));
            var needed = NeededSymbol.Of(patch.Footprint!, static _ => false);
            var builder = new SymbolIndex.Builder();
            foreach (var name in symbols.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                builder.Take(Encoding.ASCII.GetBytes(name));
            Assert.Equal(Census(patch, symbols).Findings.IsEmpty, builder.Build().Meets(needed));
        }
    }

    private static Foresight Of(PatchModule module, PreflightFacts facts, ObservedState? seen = null) =>
        Foresight.Of(module, facts, seen ?? Seen(), ImmutableDictionary<PatchName, PatchFootprint>.Empty);

    private static PatchModule Patch(ulong position = 0, bool replace = false, ImmutableArray<string> depends = default, ImmutableArray<SystemState> states = default) =>
        new(new ModuleInfo(PatchName.Parse("lp_one"), "6.12.0 SMP", true, false, null, null, null, depends.IsDefault ? [] : depends), Digest, ModuleCompression.None, 1000)
        {
            Footprint = new PatchFootprint(
                new PatchTables(PatchTablesSource.HandWritten, [new("vmlinux", [new(Function, position)], PatchCallbacks.None)], replace, states.IsDefault ? [] : states), []),
        };

    private static PatchModule For(params PatchedObject[] objects) =>
        Patch() with { Footprint = new PatchFootprint(new PatchTables(PatchTablesSource.KpatchBuild, [.. objects], null, []), []) };

    private static PreflightFacts Facts(SymbolFacts? symbols = null) =>
        PreflightFacts.None with { Symbols = PreflightFacts.None.Symbols.Add(Digest, symbols ?? SymbolFacts.AllFound), ReadAt = Now };

    private static SymbolFacts Census(PatchModule patch, string symbols)
    {
        var census = new SymbolCensus(NeededSymbol.Of(patch.Footprint!, static _ => false));
        foreach (var name in symbols.Split(' ', StringSplitOptions.RemoveEmptyEntries).Append("unrelated"))
        {
            Assert.True(KernelSymbolLine.TryParse(Encoding.ASCII.GetBytes($"ffffffff81000000 t {name}"), out var line));
            census.Take(line);
        }
        return new SymbolFacts(census.Findings(), null);
    }

    private static TraceFacts Traced(string text)
    {
        var parser = new EnabledFunctionsParser();
        List<TracedFunction?> found = [.. text.Split('\n').Select(l => parser.Take(Encoding.ASCII.GetBytes(l))), parser.End()];
        return TraceFacts.None with { Functions = [.. found.OfType<TracedFunction>()] };
    }

    private static ObservedState Seen(params LoadedPatch[] patches) => new(Kernel, [.. patches]);

    private static LoadedPatch Loaded(string name, string function) =>
        new(PatchName.Parse(name), true, true, false, false, null, true, 1, true, null, [new LivepatchObject("vmlinux", true, [function])]);
}
