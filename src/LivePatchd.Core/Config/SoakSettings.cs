// How long a new patch is on probation, what ends it, and which checks judge it.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

public enum SoakConfirm
{
    /// <summary>The end of the soak without a finding confirms the patch.</summary>
    Automatic,

    /// <summary>Somebody must confirm it before the soak ends, or it is taken out.</summary>
    Manual,
}

/// <summary>How strongly what a check finds may speak against a patch; in this order, so that a manifest can be held against the host.</summary>
public enum CheckWeight
{
    /// <summary>Not looked at.</summary>
    Off,

    /// <summary>Reported, whatever it is: nothing is taken out.</summary>
    Report,

    /// <summary>As the table of grades says: attributed where the patch is named, else suspect.</summary>
    Suspect,

    /// <summary>Always attributed: out, and quarantined until somebody releases it.</summary>
    Attributed,
}

/// <param name="Warnings">Kernel warnings.</param>
/// <param name="Oops">Oopses, bugs, lockups, hung tasks and RCU stalls.</param>
/// <param name="Units">Newly failed systemd units.</param>
/// <param name="Commands">Systemd services that must succeed; the daemon starts them and runs nothing itself.</param>
public sealed record SoakChecks(CheckWeight Warnings, CheckWeight Oops, CheckWeight Units, ImmutableArray<string> Commands)
{
    /// <summary>Pressure that does not come back under its marks.</summary>
    public CheckWeight Pressure { get; init; } = CheckWeight.Report;

    /// <summary>Patterns of units that people without rights can make fail, or that come and go: their failure is reported and no more.</summary>
    public ImmutableArray<string> Coincidental { get; init; } = DefaultCoincidental;

    /// <summary>A unit that was up for less before the load says little about it: its failure is reported and no more.</summary>
    public TimeSpan UnitUptime { get; init; } = TimeSpan.FromMinutes(10);

    public static ImmutableArray<string> DefaultCoincidental { get; } = ["user@*", "user-runtime-dir@*", "*.scope", "run-*"];

    public bool Equals(SoakChecks? other) => other is not null
        && (Warnings, Oops, Units, Pressure, UnitUptime) == (other.Warnings, other.Oops, other.Units, other.Pressure, other.UnitUptime)
        && Commands.SequenceEqual(other.Commands, StringComparer.Ordinal) && Coincidental.SequenceEqual(other.Coincidental, StringComparer.Ordinal);

    public override int GetHashCode() => HashCode.Combine(Warnings, Oops, Units, Pressure, UnitUptime, Commands.Length, Coincidental.Length);
}

/// <param name="Duration">From transition==0 on; zero: no soak.</param>
public sealed record SoakSettings(TimeSpan Duration, SoakConfirm Confirm, SoakChecks Checks)
{
    /// <summary>How long bytes stay out that are under suspicion for the second time, before they are tried again.</summary>
    public TimeSpan Quarantine { get; init; } = TimeSpan.FromHours(24);

    public static SoakSettings Default { get; } = new(TimeSpan.FromMinutes(15), SoakConfirm.Automatic, new SoakChecks(CheckWeight.Suspect, CheckWeight.Suspect, CheckWeight.Suspect, []));
}
