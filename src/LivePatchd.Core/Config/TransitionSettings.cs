// How long a transition may take, what ends it early, and when it is tried again.
namespace LivePatchd.Core.Config;

/// <param name="SetReportAfter">Null for `auto`: the base, scaled by whoever knows the machine's CPUs and threads.</param>
/// <param name="SetReverseAfter">Null for `auto`, likewise.</param>
/// <param name="Attempts">Tries before the patch is held.</param>
/// <param name="BackoffFirst">Pause after the first retryable failure; doubled each time.</param>
/// <param name="AbortIoFullRatio">Share of time in which all tasks waited for I/O; above it a running transition is reversed. 1 is never exceeded.</param>
public sealed record TransitionSettings(
    TimeSpan? SetReportAfter,
    TimeSpan? SetReverseAfter,
    int Attempts,
    TimeSpan BackoffFirst,
    TimeSpan BackoffMax,
    double AbortIoFullRatio)
{
    public static readonly TimeSpan BaseReportAfter = TimeSpan.FromSeconds(15);

    public static readonly TimeSpan BaseReverseAfter = TimeSpan.FromSeconds(120);

    public static TransitionSettings Default { get; } = new(null, null, 5, TimeSpan.FromMinutes(5), TimeSpan.FromHours(6), 0.4);

    /// <summary>Age at which a transition is reported as stalled, before any scaling.</summary>
    public TimeSpan ReportAfter => SetReportAfter ?? BaseReportAfter;

    /// <summary>Age at which it is reversed, before any scaling; always later than the report.</summary>
    public TimeSpan ReverseAfter => SetReverseAfter ?? (BaseReverseAfter > ReportAfter ? BaseReverseAfter : 2 * ReportAfter);
}
