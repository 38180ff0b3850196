// How long closed gates may hold a patch back, and what happens then.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy;

/// <param name="PendingSince">When the patch was first ready but for the gates; kept across questions, and over reboots: then it lies before the boot.</param>
/// <param name="ManifestDeadline">By the calendar, as its author wrote it.</param>
/// <param name="AskedDeadline">Given with the request to apply it.</param>
/// <param name="OverrideGates">Asked for by somebody who may: no gate counts.</param>
public sealed record DeferralRequest(
    Instant PendingSince, Severity Severity, DateTimeOffset? ManifestDeadline, Instant? AskedDeadline, bool OverrideGates);

public enum DeferralAnswer
{
    /// <summary>Every gate is open, or none counts.</summary>
    Go,

    /// <summary>The gates may hold it until the moment given.</summary>
    Wait,

    /// <summary>The budget is spent: it goes although a gate is closed.</summary>
    GoAnyway,

    /// <summary>The budget is spent, and policy keeps it back until the gates open: somebody should look.</summary>
    Keep,
}

/// <param name="Until">End of the budget: the moment at which the answer changes from Wait to another.</param>
public readonly record struct DeferralDecision(DeferralAnswer Answer, Instant Until)
{
    public bool MayGo => Answer is DeferralAnswer.Go or DeferralAnswer.GoAnyway;

    /// <summary>Worth an event and an alert.</summary>
    public bool Exhausted => Answer is DeferralAnswer.GoAnyway or DeferralAnswer.Keep;
}

public static class Deferral
{
    /// <summary>
    /// A wall clock that jumped ahead cannot be told from a machine that was off: so what has waited over a reboot gets this much of the
    /// boot to find a quiet moment in, or <see cref="LeastShare"/> of a short budget.
    /// </summary>
    public static readonly TimeSpan LeastAfterBoot = TimeSpan.FromHours(1);

    private const double LeastShare = 0.25;

    /// <remarks>
    /// The budget is one against a busy machine. What people decided it does not overrule: holds and inhibitors last until they end,
    /// and outside the maintenance windows only a critical patch goes.
    /// </remarks>
    public static DeferralDecision Decide(DeferralRequest request, DeferralSettings settings, GateBoard board, Instant now)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(board);
        var until = Until(request, settings, now);
        if (board.Open || request.OverrideGates)
            return new(DeferralAnswer.Go, until);
        if (now.IsBefore(until))
            return new(DeferralAnswer.Wait, until);
        var people = board.Gates.Any(g => !g.Open && Decided(g.Gate, request.Severity));
        return new(settings.Then is AfterDeferral.Apply && !people ? DeferralAnswer.GoAnyway : DeferralAnswer.Keep, until);
    }

    /// <summary>The earliest of the budget's end and the deadlines.</summary>
    public static Instant Until(DeferralRequest request, DeferralSettings settings, Instant now)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(settings);
        var budget = request.Severity is Severity.Critical ? settings.CriticalBudget : settings.Budget;
        var until = request.PendingSince.After(budget);
        if (request.PendingSince.Monotonic < TimeSpan.Zero && Least(budget) is var least && until.Monotonic < least)
            until = now.After(least - now.Monotonic);
        if (request.AskedDeadline is { } asked && asked.IsBefore(until))
            until = asked;
        // A date is the calendar's: where it lies on the monotonic clock is reckoned anew each time, as the wall clock may be set.
        return request.ManifestDeadline is { } date && now.After(date - now.Wall) is var deadline && deadline.IsBefore(until) ? deadline : until;
    }

    private static TimeSpan Least(TimeSpan budget) => LeastShare * budget < LeastAfterBoot ? LeastShare * budget : LeastAfterBoot;

    private static bool Decided(Gate gate, Severity severity) =>
        gate is Gate.Hold or Gate.Inhibitor || (gate is Gate.Window && severity is not Severity.Critical);
}
