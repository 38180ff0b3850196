// The validated configuration: what the daemon runs with.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

public enum DaemonMode
{
    Apply,
    Observe,
}

/// <param name="Path">Directory that holds one sub-directory per kernel release.</param>
/// <param name="ReadOnly">Files are never written or removed there by `stage`/`unstage`.</param>
public sealed record WatchedDirectory(string Path, bool ReadOnly);

/// <param name="ReportAfter">Age at which a transition is reported as stalled.</param>
/// <param name="BackoffFirst">Pause after the first retryable failure; doubled each time.</param>
public sealed record TransitionSettings(TimeSpan ReportAfter, TimeSpan BackoffFirst, TimeSpan BackoffMax);

/// <param name="Listen">host:port of the loopback endpoint; null when off.</param>
public sealed record MetricsSettings(string? Listen, string UnixSocket);

/// <param name="NotInForce">Keys that the contract names and this version checks but does not act on yet.</param>
public sealed record Settings(
    DaemonMode Mode,
    ImmutableArray<WatchedDirectory> Directories,
    TransitionSettings Transition,
    MetricsSettings Metrics,
    ImmutableArray<string> NotInForce)
{
    public static Settings Default { get; } = new(
        DaemonMode.Apply,
        [new WatchedDirectory("/var/lib/livepatchd/patches", ReadOnly: false)],
        new TransitionSettings(TimeSpan.FromSeconds(15), TimeSpan.FromMinutes(5), TimeSpan.FromHours(6)),
        new MetricsSettings("127.0.0.1:9817", "/run/livepatchd/metrics.sock"),
        []);
}
