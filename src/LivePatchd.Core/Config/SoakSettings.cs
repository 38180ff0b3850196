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

/// <param name="Warnings">Kernel warnings count.</param>
/// <param name="Oops">Oopses, bugs, lockups, hung tasks and RCU stalls count.</param>
/// <param name="Units">Newly failed systemd units count.</param>
/// <param name="Commands">Systemd services that must succeed; the daemon starts them and runs nothing itself.</param>
public sealed record SoakChecks(bool Warnings, bool Oops, bool Units, ImmutableArray<string> Commands);

/// <param name="Duration">From transition==0 on; zero: no soak.</param>
public sealed record SoakSettings(TimeSpan Duration, SoakConfirm Confirm, SoakChecks Checks)
{
    /// <summary>How long bytes stay out that are under suspicion for the second time, before they are tried again.</summary>
    public TimeSpan Quarantine { get; init; } = TimeSpan.FromHours(24);

    public static SoakSettings Default { get; } = new(TimeSpan.FromMinutes(15), SoakConfirm.Automatic, new SoakChecks(true, true, true, []));
}
