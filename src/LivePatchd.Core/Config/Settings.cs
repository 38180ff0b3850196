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
public sealed record WatchedDirectory(string Path, bool ReadOnly)
{
    internal static readonly TimeSpan DefaultGrace = TimeSpan.FromSeconds(3);

    /// <summary>How long a file must be missing before its patch is taken out: package managers and scripts remove a file and put it back.</summary>
    public TimeSpan Grace { get; init; } = DefaultGrace;
}

/// <summary>What happens to a patch whose deferral budget is spent while a gate is still closed.</summary>
public enum AfterDeferral
{
    Apply,
    Hold,
}

/// <summary>What is done about a patch that somebody took out of the kernel by hand.</summary>
public enum AfterDrift
{
    /// <summary>It is told, and the patch stays out until somebody asks for it.</summary>
    Report,

    /// <summary>It is told, and the patch is loaded again, a few times.</summary>
    Restore,
}

/// <param name="Budget">How long closed gates may hold a patch.</param>
/// <param name="CriticalBudget">The same for a patch of severity critical; never longer than the other.</param>
public sealed record DeferralSettings(TimeSpan Budget, AfterDeferral Then, TimeSpan CriticalBudget);

/// <param name="Listen">host:port of the loopback endpoint; null when off.</param>
public sealed record MetricsSettings(string? Listen, string UnixSocket);

public enum CpuChoice
{
    /// <summary>The CPU with the least interrupt work outside the isolated ones.</summary>
    Auto,

    /// <summary>Not pinned.</summary>
    None,

    /// <summary>The CPU of <see cref="PlacementSettings.CpuNumber"/>.</summary>
    Fixed,
}

/// <param name="CpuNumber">Null unless the choice is a fixed CPU.</param>
/// <param name="Nice">Of the thread that loads modules and writes `enabled`.</param>
public sealed record PlacementSettings(CpuChoice Cpu, int? CpuNumber, int Nice);

/// <param name="NotInForce">Keys that the contract names and this version checks but does not act on yet.</param>
public sealed record Settings(
    DaemonMode Mode,
    ImmutableArray<WatchedDirectory> Directories,
    GateSettings Gates,
    DeferralSettings Deferral,
    TransitionSettings Transition,
    SoakSettings Soak,
    MetricsSettings Metrics,
    PlacementSettings Placement,
    ImmutableArray<string> NotInForce)
{
    public TrustSettings Trust { get; init; } = TrustSettings.Default;

    public AfterDrift Drift { get; init; }

    /// <summary>How long a boot that does not end may hold patches that are not confirmed yet, from the beginning of userspace on.</summary>
    public TimeSpan BootWait { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How many trusted builds of a name the store keeps; 0: none that no file asks for.</summary>
    public int StoreKeep { get; init; } = 1;

    public static Settings Default { get; } = new(
        DaemonMode.Apply,
        [new WatchedDirectory("/var/lib/livepatchd/patches", ReadOnly: false)],
        GateSettings.Default,
        new DeferralSettings(TimeSpan.FromHours(24), AfterDeferral.Apply, TimeSpan.FromHours(1)),
        TransitionSettings.Default,
        SoakSettings.Default,
        new MetricsSettings("127.0.0.1:9817", "/run/livepatchd/metrics.sock"),
        new PlacementSettings(CpuChoice.Auto, null, 10),
        []);
}
