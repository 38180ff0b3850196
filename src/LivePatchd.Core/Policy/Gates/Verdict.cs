// What one gate says for itself, before its missing source or its history decides.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

/// <param name="OpensAt">When it opens by itself, known from the calendar or a clock.</param>
internal readonly record struct Verdict(bool Open, string Detail, Instant? OpensAt = null)
{
    public double? Value { get; init; }

    public double? CloseAt { get; init; }

    public double? OpenBelow { get; init; }

    public GateUnit? Unit { get; init; }

    /// <summary>The source is missing.</summary>
    public bool Missing { get; init; }

    /// <summary>Missing, and never to be passed by guess: `gates.unavailable` has no say.</summary>
    public bool Strict { get; init; }

    /// <summary>The kernel was booted without this source: the gate is open, and has nothing to show.</summary>
    public bool NotThere { get; init; }

    /// <summary>The counters are there, but no earlier reading to compare with.</summary>
    public bool Unmeasured { get; init; }

    /// <summary>Known from elsewhere than from having been asked before.</summary>
    public Instant? OpenSince { get; init; }

    public static Verdict SwitchedOff { get; } = new(true, "switched off: its mark is never exceeded");

    public static Verdict NoSource(string source) => new(false, $"{source} is missing or cannot be read") { Missing = true };
}
