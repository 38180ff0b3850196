// Snapshots as the loop publishes them, made by hand.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Publish;

namespace LivePatchd.Tests.Metrics;

internal static class Views
{
    public const double LoadSeconds = 0.25;
    public const double TransitionSeconds = 1.5;

    private static readonly Gate[] Measured = [Gate.Load, Gate.IoPressure, Gate.CpuPressure, Gate.MemoryPressure, Gate.Network];

    public static PatchView Patch(PatchName name, PatchState state, double since = 0) => new(
        name, state, null, "", Given.Digest, null, "", "6.12.0", "daemon", "", "", [], [], null, null, null, Given.At(since), null, null, 0, "", [], null);

    /// <summary>Number N of the patches of a host: loaded by the daemon, and every task runs it.</summary>
    public static PatchView InForce(PatchName name, int number) => Patch(name, PatchState.Active) with
    {
        Identity = "match",
        Version = $"1.{number}",
        LoadedSince = Given.At(number).Wall,
        Objects = [new LivepatchObject("vmlinux", true, ["cmdline_proc_show"])],
        Cves = [$"CVE-2025-{1000 + number}"],
    };

    public static DaemonSnapshot Snapshot(params ImmutableArray<PatchView> patches) => new(
        new HostView("1", "6.12.0", "apply", "running", null, null, null, null, 1, [], [], 0),
        patches, [], [], [], new GatesView(null, "", null, [], null, []), null, "{}", [], Given.Now);

    /// <summary>All gates with the default marks.</summary>
    public static GatesView Gates(params Gate[] closed) => new(null, "", null, [.. Enum.GetValues<Gate>().Select(g => new GateView(
        g, !closed.Contains(g), true, Measured.Contains(g) ? closed.Contains(g) ? 0.5 : 0.01 : null, Measured.Contains(g) ? 0.2 : null, Measured.Contains(g) ? 0.1 : null,
        Measured.Contains(g) ? GateUnit.Share : null, Given.Now.Wall, null, "", null))], null, []);

    public static HistoryEntry Entry(PatchName patch, OperationResult result, DateTimeOffset begun) => new(
        begun, patch, Given.Digest, Operation.Apply, result, new ImpactReport(
            null, Delta, null,
            [new PhaseImpact(ImpactPhase.Load, TimeSpan.FromSeconds(LoadSeconds), null, null), new PhaseImpact(ImpactPhase.Transition, TimeSpan.FromSeconds(TransitionSeconds), null, null)],
            TimeSpan.FromSeconds(0.1), new ImpactSeries([], [], [])));

    private static PressureDelta? Delta { get; } = PressureDelta.Between(Given.Sample(Given.At(0)), Given.Sample(Given.At(2), ioFull: TimeSpan.FromSeconds(0.5)));
}
