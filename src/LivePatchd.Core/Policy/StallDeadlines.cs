// When a transition counts as stalled, and when it is taken back: as configured, or scaled with the machine.
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Policy;

/// <param name="Cpus">Online.</param>
/// <param name="Threads">Of the whole machine: each of the kernel's attempts, one a second, walks all of them.</param>
public readonly record struct MachineSize(int Cpus, int Threads);

public readonly record struct StallDeadlines(TimeSpan Report, TimeSpan Reverse)
{
    private const int BaseCpus = 64;
    private const int BaseThreads = 10_000;
    private const double MaxFactor = 5;

    /// <summary>
    /// Up to 64 CPUs and 10,000 threads the base; beyond, one base more for each doubling of whichever is larger in proportion, at most
    /// five. What is configured is taken as it stands, and the report always comes before the reversal.
    /// </summary>
    public static StallDeadlines For(TransitionSettings settings, MachineSize size)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var beyond = Math.Max(1, Math.Max((double)size.Cpus / BaseCpus, (double)size.Threads / BaseThreads));
        var factor = Math.Min(MaxFactor, 1 + Math.Log2(beyond));
        var report = settings.SetReportAfter ?? TransitionSettings.BaseReportAfter * factor;
        if (settings.SetReverseAfter is { } reverse)
            return new(report < reverse ? report : reverse / 2, reverse);
        var scaled = TransitionSettings.BaseReverseAfter * factor;
        return new(report, scaled > report ? scaled : 2 * report);
    }
}
