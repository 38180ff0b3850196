// One moment as the planner sees it, put together by hand: kernel, files, journal.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

internal sealed record Scene
{
    public const string Boot = "boot";

    public static readonly PatchName Name = PatchName.Parse("lp_a");

    public static readonly Sha256 Digest = ModelHost.Digest("lp_a", 1);

    public static readonly Manifest Plain = new(null, null, [], null, [], Severity.Medium, null, [], [], null, null, []);

    public KernelFacts Kernel { get; init; } = new("6.12.0", Boot, true, true, true, false, LockdownLevel.None, false, 0, 0, 0);

    public ImmutableArray<LoadedPatch> Patches { get; init; } = [];

    public ImmutableArray<WantedPatch> Wanted { get; init; } = [ModelHost.File("lp_a", 1)];

    public ImmutableArray<RefusedFile> Refused { get; init; } = [];

    public ImmutableArray<UnreadableDirectory> Unreadable { get; init; } = [];

    public ImmutableArray<JournalRecord> Journal { get; init; } = [];

    public Reason? Bar { get; init; }

    public PlanStep? Busy { get; init; }

    public double Second { get; init; } = 1000;

    public static Instant At(double second) => new(TimeSpan.FromSeconds(second), DateTimeOffset.UnixEpoch.AddSeconds(second));

    public static JournalRecord Record(RecordKind kind, double second, string name = "lp_a", Reason? reason = null, string? detail = null) =>
        new(kind, PatchName.Parse(name), Boot, At(second), ModelHost.Digest(name, 1), ModelHost.Build(name, 1), $"/p/{name}.ko", reason, Detail: detail);

    /// <summary>Loaded by us and active.</summary>
    public static ImmutableArray<JournalRecord> Active { get; } = [Record(RecordKind.LoadIntent, 1), Record(RecordKind.Loaded, 2), Record(RecordKind.Activated, 3), Record(RecordKind.Confirmed, 4)];

    public static LoadedPatch Loaded(KernelPatchState state, string name = "lp_a", int build = 1) => new(
        PatchName.Parse(name),
        Directory: state is not (KernelPatchState.Unused or KernelPatchState.Pinned or KernelPatchState.NotLoaded),
        Enabled: state is KernelPatchState.Enabling or KernelPatchState.Active,
        Transition: state is KernelPatchState.Enabling or KernelPatchState.Disabling,
        Replace: false, StackOrder: null,
        ModulePresent: state is not KernelPatchState.NotLoaded,
        RefCount: state is KernelPatchState.Unused ? 0 : 1,
        Livepatch: true, ModelHost.Build(name, build),
        state is KernelPatchState.Unused or KernelPatchState.Pinned or KernelPatchState.NotLoaded ? [] : [new LivepatchObject("vmlinux", true, ["f"])]);

    public static WantedPatch File(Manifest? manifest) => ModelHost.File("lp_a", 1) with { Manifest = manifest };

    public PlannerInput Input => new(
        new ObservedState(Kernel, Patches), new DesiredState(Wanted, Refused, Unreadable), LedgerFold.Replay(Journal, Boot),
        Settings.Default, Bar, Busy is null ? null : new Busy(Busy), At(Second));

    public Plan Plan => Planner.Decide(Input);

    public Verdict Verdict => Plan.Verdicts.Single(v => v.Name == Name);
}
