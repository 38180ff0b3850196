// Values that many tests begin with: a patch, its file, its module in the kernel, a look at all of that.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Tests;

internal static class Given
{
    public static readonly PatchName One = PatchName.Parse("lp_one");
    public static readonly PatchName Two = PatchName.Parse("lp_two");
    public static readonly Sha256 Digest = Bytes('1');
    public static readonly Sha256 OtherDigest = Bytes('2');
    public static readonly BuildId Build = BuildId.TryParse("0101")!.Value;

    /// <summary>An hour after the boot.</summary>
    public static readonly Instant Now = new LivePatchd.Loop.MonotonicClock(new ManualTime()).Now();

    public static readonly KernelFacts Kernel = new("6.12.0", Bench.Boot, true, true, true, false, LockdownLevel.None, false, 0, 0, 0);

    public static readonly Manifest Manifest = new(null, null, [], null, [], Severity.Medium, null, [], [], null, null, []);

    /// <summary>Nothing is on probation for longer than a moment.</summary>
    public static readonly Settings NoSoak = Settings.Default with { Soak = SoakSettings.Default with { Duration = TimeSpan.Zero } };

    public static Instant At(double seconds) => Now.After(TimeSpan.FromSeconds(seconds));

    public static Sha256 Bytes(char digit) => Sha256.TryParse(new string(digit, 64))!.Value;

    public static WantedPatch File(PatchName? name = null, Sha256? digest = null, Manifest? manifest = null) => new(
        new PatchModule(new ModuleInfo(name ?? One, "6.12.0 SMP", true, false, Build, null, "GPL", []), digest ?? Digest, ModuleCompression.None, 1000),
        $"/p/{name ?? One}.ko", manifest);

    public static DesiredState Want(params ImmutableArray<WantedPatch> files) => new(files, [], []);

    public static LoadedPatch Loaded(KernelPatchState state, PatchName? name = null, params ImmutableArray<LivepatchObject> objects) => new(
        name ?? One,
        Directory: state is not (KernelPatchState.Unused or KernelPatchState.Pinned or KernelPatchState.NotLoaded),
        Enabled: state is KernelPatchState.Enabling or KernelPatchState.Active,
        Transition: state is KernelPatchState.Enabling or KernelPatchState.Disabling,
        Replace: false, StackOrder: null,
        ModulePresent: state is not KernelPatchState.NotLoaded,
        RefCount: state is KernelPatchState.Unused ? 0 : 1,
        Livepatch: true, Build, objects);

    public static ObservedState Seen(params ImmutableArray<LoadedPatch> patches) => new(Kernel, patches);

    public static JournalRecord Record(RecordKind kind, double seconds = 0, PatchName? name = null, Sha256? digest = null, Reason? reason = null) => new(
        kind, name ?? One, Bench.Boot, At(seconds), digest ?? Digest, Build, $"/p/{name ?? One}.ko", reason)
    {
        Baseline = kind is RecordKind.LoadIntent or RecordKind.Adopted ? new HealthBaseline(0, 0, 0, [], true, 1) : null,
    };

    public static Ledger Ledger(params IEnumerable<JournalRecord> records) => LedgerFold.Replay(records, Bench.Boot);

    public static PlannerInput Input(ObservedState seen, DesiredState? want = null, Ledger? ledger = null, Settings? settings = null, Instant? now = null) =>
        new(seen, want ?? DesiredState.Empty, ledger ?? Ledger(), settings ?? NoSoak, null, null, now ?? Now);

    public static Plan Plan(params ImmutableArray<PlanStep> steps) => new(steps, [], [], null);

    public static Plan Verdicts(params ImmutableArray<Verdict> verdicts) => new([], [], verdicts, null);

    public static Verdict Verdict(LifecycleEvent happened, Reason? reason = null, PatchName? name = null, Instant? retryAt = null) =>
        new(name ?? One, happened, reason, retryAt, Digest);

    /// <summary>A machine at ease, but for these.</summary>
    /// <param name="ioFull">Time since boot in which all tasks waited for I/O.</param>
    public static PressureSample Sample(Instant at, TimeSpan ioFull = default, double load = 0.1)
    {
        var calm = new PsiLine(0, 0, 0, TimeSpan.Zero);
        var io = new PsiLine(0, 0, 0, ioFull);
        return new PressureSample(at, new PsiReading(io, io), new PsiReading(calm, calm), new PsiReading(calm, calm), load, 1, new TcpCounters(1000, 0), 0, 0, 0);
    }
}
