// Every series the daemon shows: one table, from which both text formats and docs/metrics.md are written.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Publish;

namespace LivePatchd.Metrics;

/// <summary>What one scrape is made from.</summary>
/// <param name="Snapshot">Null before the first look.</param>
internal sealed record Reading(DaemonSnapshot? Snapshot, DaemonMeter Meter, Instant Now)
{
    /// <summary>In the order of their names, at most <see cref="SeriesTable.MaxPatches"/>: with more, those that need a person.</summary>
    public ImmutableArray<PatchView> Patches { get; } = Snapshot is null ? [] :
        [.. Snapshot.Patches.OrderBy(static p => SeriesTable.Rank(p.State)).Take(SeriesTable.MaxPatches).OrderBy(static p => p.Name)];

    public ImmutableArray<GateView> Gates => Snapshot?.Gates.Gates ?? [];

    /// <summary>Somebody waits at the gates, or would have to: else their figures are what any node exporter shows.</summary>
    public bool GatesDecide => Gates.Any(static g => !g.Open)
        || Snapshot?.Patches.Any(static p => p.PendingSince is not null || p.Reason is { } why && GateReasons.Contains(why)) == true;
}

internal static class SeriesTable
{
    /// <summary>Of a host with at most fifty patches. What is left of it belongs to the list of CVEs.</summary>
    public const int Budget = 300;

    /// <summary>More patches than this have no series of their own; livepatchd_patches counts them all.</summary>
    public const int MaxPatches = 100;

    /// <summary>Patches of the latest operations, eight series each.</summary>
    public const int MaxImpacts = 2;

    /// <summary>The newest. At least <see cref="MinCves"/> are shown however many series there are.</summary>
    public const int MaxCves = 64;
    public const int MinCves = 16;

    /// <summary>Digits of a digest in a label; the bus and the tool have all of them.</summary>
    public const int DigestDigits = 12;

    private static readonly Family Cves = Gauge(
        "livepatchd_cve_fixed", "1 for a CVE that a livepatch in force fixes; the newest of them, see livepatchd_cves_fixed.",
        static r => FixedCves(r).Select(static cve => Point.Of(1, cve)), "cve");

    public static ImmutableArray<Family> All { get; } =
    [
        new("livepatchd_info", FamilyKind.Info, "Version of livepatchd and release of the running kernel.", ["version", "kernel"],
            static r => [Point.Of(1, r.Meter.Version, r.Snapshot?.Host.KernelRelease ?? "")]),
        Gauge("livepatchd_state", "1 for what the daemon does now (running, observing, unsupported), with the reason where it does not act.",
            static r => r.Snapshot is { Host: var host } ? [Point.Of(1, host.State, host.Reason?.Word() ?? "")] : [], "state", "reason"),
        Gauge("livepatchd_mode", "1 for the mode in force: apply, observe or off.", static r => r.Snapshot is { Host: var host } ? [Point.Of(1, host.Mode)] : [], "mode"),
        Gauge("livepatchd_host_condition", "1 for each condition that keeps the host from its usual work, while it lasts.",
            static r => r.Snapshot is { Host: var host } ? host.Conditions.Select(static c => c.Reason.Word()).Distinct().Select(static w => Point.Of(1, w)) : [], "reason"),
        Gauge("livepatchd_reconcile_last_success_timestamp_seconds", "When the daemon last completed a look at the kernel and the directories.",
            static r => [r.Snapshot is { } now ? Point.Of(now.At.Wall) : Point.Of(0)]),

        Gauge("livepatchd_patches", "Patches in this state; a state without patches has no series.",
            static r => r.Snapshot is { } now ? now.Patches.GroupBy(static p => p.State).OrderBy(static g => g.Key).Select(static g => Point.Of(g.Count(), g.Key.Word())) : [], "state"),
        Gauge("livepatchd_patches_under_evidence", "Patches that a finding of this grade stands against, or whose soak it extended; a grade without patches has no series.",
            static r => r.Snapshot is { } now
                ? now.Patches.Where(static p => p.Grade is not null).GroupBy(static p => p.Grade!.Value).OrderBy(static g => g.Key).Select(static g => Point.Of(g.Count(), g.Key.Word()))
                : [], "grade"),
        new("livepatchd_patch_info", FamilyKind.Info, "The build of each patch: its digest and the version in its manifest.", ["patch", "sha256", "version"],
            static r => r.Patches.Select(static p => Point.Of(1, p.Name.Value, Short(p.Digest), p.Version))),
        Gauge("livepatchd_patch_state", "1 for the state that the patch is in.", static r => r.Patches.Select(static p => Point.Of(1, p.Name.Value, p.State.Word())), "patch", "state"),
        Gauge("livepatchd_patch_reason", "1 for the reason why the patch is where it is, while there is one.",
            static r => r.Patches.Where(static p => p.Reason is not null).Select(static p => Point.Of(1, p.Name.Value, p.Reason!.Value.Word())), "patch", "reason"),
        Gauge("livepatchd_patch_pending_since_timestamp_seconds", "Since when the patch has been wanted and not in force, through all holds and attempts.",
            static r => r.Patches.Where(static p => p.PendingSince is not null).Select(static p => Point.Of(p.PendingSince!.Value.Wall, p.Name.Value)), "patch"),
        Gauge("livepatchd_patch_loaded_timestamp_seconds", "When every task was seen to run the patch.",
            static r => r.Patches.Where(static p => p.LoadedSince is not null).Select(static p => Point.Of(p.LoadedSince!.Value, p.Name.Value)), "patch"),
        Gauge("livepatchd_soak_end_timestamp_seconds", "When the soak of the patch ends.",
            static r => r.Patches.Where(static p => p is { State: PatchState.Soaking, SoakUntil: not null }).Select(static p => Point.Of(p.SoakUntil!.Value, p.Name.Value)), "patch"),
        Gauge("livepatchd_oldest_pending_seconds", "Age of the oldest wanted patch that is not in force, by the clock that nobody sets; 0 when none waits.",
            static r => [Point.Of(r.Snapshot?.Patches.Select(p => p.PendingSince is { } since ? Math.Max(0, r.Now.Since(since).TotalSeconds) : 0).DefaultIfEmpty(0).Max() ?? 0)]),

        new("livepatchd_transitions_total", FamilyKind.Counter, "Applies and reverts that ended, by result.", ["operation", "result"],
            static r => r.Meter.Transitions.Select(static t => Point.Of(t.Count, ImpactJson.Word(t.Operation), ImpactJson.Word(t.Result)))),
        Gauge("livepatchd_last_transition_timestamp_seconds", "When an apply or revert last ended with this result.",
            static r => r.Meter.LastEnds.Select(static t => Point.Of(t.At, ImpactJson.Word(t.Operation), ImpactJson.Word(t.Result))), "operation", "result"),
        new("livepatchd_transition_duration_seconds", FamilyKind.Histogram, "From the start of an apply or revert to its end.", ["operation"],
            static r => r.Meter.TransitionDurations.Select(static d => Point.Of(d.View, ImpactJson.Word(d.Operation)))),
        new("livepatchd_load_duration_seconds", FamilyKind.Summary, "Time inside finit_module.", [], static r => [Point.Of(r.Meter.LoadDurations)]),
        Gauge("livepatchd_transition_started_timestamp_seconds", "When the running transition began; no series while none runs.",
            static r => r.Snapshot?.Host.TransitionSince is { } since ? [Point.Of(since)] : []),
        Gauge("livepatchd_stalled_tasks", "Tasks that an overdue transition still waits for; no series while no transition runs.",
            static r => r.Snapshot?.Host.TransitionPatch is null ? [] : [Point.Of(r.Snapshot.Blocking?.StalledTasks ?? 0)]),

        Gauge("livepatchd_gate_open", "1 for a gate that is open, 0 for a closed one; a gate that is not configured has no series.",
            static r => r.Gates.Where(static g => !g.Open || g.CloseAt is not null).Select(static g => Point.Of(g.Open ? 1 : 0, g.Gate.Word())), "gate"),
        Gauge("livepatchd_gate_value", "Figure of the gate while it decides something: a share of time or of segments, load per CPU, or squeezes per second.",
            static r => r.GatesDecide ? r.Gates.Where(static g => g.Value is not null).Select(static g => Point.Of(g.Value!.Value, g.Gate.Word())) : [], "gate"),
        Gauge("livepatchd_gate_close_mark", "Mark above which the figure closes the gate, while it decides something.",
            static r => r.GatesDecide ? r.Gates.Where(static g => g.CloseAt is not null).Select(static g => Point.Of(g.CloseAt!.Value, g.Gate.Word())) : [], "gate"),
        new("livepatchd_gate_holds_total", FamilyKind.Counter, "Times that the gate began to hold a patch.", ["gate"],
            static r => r.Meter.GateHolds.Select(static h => Point.Of(h.Count, h.Gate.Word()))),
        Gauge("livepatchd_hold_since_timestamp_seconds", "When the operator's hold was put in place; no series without a hold.",
            static r => r.Snapshot?.Gates.Hold is { } hold ? [Point.Of(hold.Since.Wall)] : []),
        new("livepatchd_deferral_exhausted_total", FamilyKind.Counter, "Patches whose deferral budget ended while a gate was closed.", [], static r => [Point.Of(r.Meter.DeferralsExhausted)]),
        new("livepatchd_kernel_warnings_after_load_total", FamilyKind.Counter, "Kernel warnings counted while a patch was in its soak.", [], static r => [Point.Of(r.Meter.KernelWarnings)]),

        Gauge("livepatchd_directories_unreadable", "Watched directories that cannot be read.",
            static r => [Point.Of(r.Snapshot?.Host.Conditions.Count(static c => c.Reason is Reason.DirectoryUnreadable) ?? 0)]),
        Gauge("livepatchd_refused_files", "Files in the watched directories that are not taken, by reason; a reason without files has no series.",
            static r => r.Snapshot is { } now
                ? now.Refused.GroupBy(static f => f.Reason).OrderBy(static g => g.Key).Select(static g => Point.Of(g.Count(), g.Key.Word()))
                : [], "reason"),
        Gauge("livepatchd_config_last_reload_successful", "1 when the configuration on disk is in force.", static r => [Point.Of(r.Meter.ConfigGood ? 1 : 0)]),
        Gauge("livepatchd_config_last_reload_success_timestamp_seconds", "When a configuration was last put in force.",
            static r => r.Meter.ConfigLoadedAt is { } at ? [Point.Of(at)] : []),

        .. Impacts(),

        new("process_cpu_seconds_total", FamilyKind.Counter, "Total user and system CPU time spent in seconds.", [], static _ => [Point.Of(Math.Round(Environment.CpuUsage.TotalTime.TotalSeconds, 3))]),
        Gauge("process_resident_memory_bytes", "Resident memory size in bytes.", static _ => [Point.Of(Environment.WorkingSet)]),
        Gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", static r => [Point.Of(r.Meter.StartedAt)]),

        Gauge("livepatchd_cves_fixed", "CVEs that livepatches in force fix; no series when there are none.", static r => FixedCves(r).Count() is > 0 and var count ? [Point.Of(count)] : []),
        Cves,
    ];

    /// <summary>Families that have a series now.</summary>
    public static IEnumerable<(Family Family, IReadOnlyList<Point> Points)> Collect(Reading reading)
    {
        var total = 0;
        foreach (var family in All)
        {
            var points = family.Read(reading);
            if (family == Cves)
                points = points.Take(Math.Clamp(Budget - total, MinCves, MaxCves)).OrderBy(static p => p.Labels[0], StringComparer.Ordinal);
            List<Point> read = [.. points];
            if (read.Count == 0)
                continue;
            total += read.Sum(p => SeriesOf(family, p));
            yield return (family, read);
        }
    }

    /// <summary>Of one point: a histogram has one for each bucket, its sum and its count.</summary>
    public static int SeriesOf(Family family, Point point) => family.Kind switch
    {
        FamilyKind.Histogram => point.Durations!.Buckets.Length + 2,
        FamilyKind.Summary => 2,
        _ => 1,
    };

    public static string Short(Sha256? digest) => digest is { Hex: { Length: >= DigestDigits } hex } ? hex[..DigestDigits] : "";

    /// <summary>What needs a person first; what is as wanted last.</summary>
    public static int Rank(PatchState state) => state switch
    {
        PatchState.Quarantined or PatchState.Stalled or PatchState.Forced => 0,
        PatchState.Reversing or PatchState.Reverting or PatchState.Transitioning or PatchState.Loading => 1,
        PatchState.Held or PatchState.Staged or PatchState.Soaking => 2,
        PatchState.Rejected or PatchState.Foreign or PatchState.Active => 3,
        _ => 4,
    };

    private static Family Gauge(string name, string help, Func<Reading, IEnumerable<Point>> read, params string[] labels) => new(name, FamilyKind.Gauge, help, labels, read);

    /// <summary>The newest first. By the rule of `livepatchctl check --cve`: in force for every task, in every object, and what runs is the file.</summary>
    private static IEnumerable<string> FixedCves(Reading reading) =>
        (reading.Snapshot?.Patches ?? []).Where(IsInForce).SelectMany(static p => p.Cves).Distinct()
        .OrderByDescending(static cve => cve.Length > 8 ? cve[..8] : cve, StringComparer.Ordinal).ThenByDescending(static cve => cve.Length).ThenByDescending(static cve => cve, StringComparer.Ordinal);

    private static bool IsInForce(PatchView p) =>
        p is { State: PatchState.Active or PatchState.Soaking, LoadedSince: not null, Objects.IsEmpty: false }
        && p.Objects.All(static o => o.Standing is not (ObjectStanding.NotPatched or ObjectStanding.NeverMatches))
        && (p.Identity == "match" || p is { Identity: "" or "unknown", Origin: "daemon" });

    private static IEnumerable<Family> Impacts()
    {
        yield return Stall("io", static d => d.IoStall);
        yield return Stall("cpu", static d => d.CpuStall);
        yield return Stall("memory", static d => d.MemoryStall);
        yield return Impact("tcp_retransmits", "TCP segments sent again", Count(static d => d.RetransmittedSegments));
        yield return Impact("softirq_squeezes", "Times the network softirq ran out of its budget", Count(static d => d.SoftirqSqueezes));
        yield return Impact("kernel_oopses", "Oopses of the kernel", Count(static d => d.Oopses));
        yield return Impact("kernel_warnings", "Warnings of the kernel", Count(static d => d.Warnings));
        yield return Impact("longest_stall_seconds", "Longest time without a pause in which some task waited for io or memory", static r => r.LongestStall?.TotalSeconds);

        static Family Stall(string source, Func<PressureDelta, TimeSpan?> get) =>
            Impact($"{source}_stall_seconds", $"Time in which some task waited for {source}", r => r.During is { } during ? get(during)?.TotalSeconds : null);

        static Func<ImpactReport, double?> Count(Func<PressureDelta, ulong?> get) => r => r.During is { } during ? get(during) : null;

        static Family Impact(string name, string what, Func<ImpactReport, double?> get) =>
            Gauge($"livepatchd_impact_{name}", $"{what} during the last load and transition, or revert.", r => Measured(r, get), "patch");
    }

    /// <summary>What is unknown has no series. In the order of the history, not of the clock.</summary>
    private static IEnumerable<Point> Measured(Reading reading, Func<ImpactReport, double?> get)
    {
        if (reading.Snapshot is not { } now)
            yield break;
        var inView = now.Patches.Select(static p => p.Name).ToHashSet();
        foreach (var entry in now.History.Reverse().DistinctBy(static e => e.Patch).Where(e => inView.Contains(e.Patch)).Take(MaxImpacts).OrderBy(static e => e.Patch))
        {
            if (get(entry.Impact) is { } value)
                yield return Point.Of(value, entry.Patch.Value);
        }
    }
}
