// The optional sidecar NAME.yaml: what a patch's author says about it.
using System.Collections.Immutable;
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Model;

/// <summary>What the author says about taking the patch out again.</summary>
public enum Rollback
{
    /// <summary>Nothing is said: it may be disabled.</summary>
    Unspecified,

    /// <summary>It may be disabled, and the version before it may be loaded in its place.</summary>
    Safe,

    /// <summary>Once every task runs it, only a reboot leaves it.</summary>
    Unsafe,
}

public enum Severity
{
    Low,
    Medium,
    High,
    Critical,
}

/// <param name="Replaces">Module names that this patch makes superfluous.</param>
/// <param name="After">Module names that must be loaded first where they are wanted.</param>
/// <param name="NotInForce">Keys that the contract names and this version does not act on yet: their presence holds the patch.</param>
public sealed record Manifest(
    PatchName? Name,
    string? Version,
    ImmutableArray<string> Kernels,
    Sha256? Sha256,
    ImmutableArray<string> Cves,
    Severity Severity,
    string? Description,
    ImmutableArray<PatchName> Replaces,
    ImmutableArray<PatchName> After,
    DateTimeOffset? NotBefore,
    DateTimeOffset? NotAfter,
    ImmutableArray<string> NotInForce)
{
    /// <summary>Said of a manifest that names CVEs and neither the bytes that fix them nor a signer: left behind, it would claim them for any build.</summary>
    public const string UnboundCves = "cves needs sha256 (or a signature NAME.yaml.p7s): without it the CVEs would count for any build of this name";

    /// <summary>Functions the patch changes, as its author lists them: held against what the file says, where it says it.</summary>
    public ImmutableArray<string> Functions { get; init; } = [];

    /// <summary>Module names that must not be in the kernel together with this one.</summary>
    public ImmutableArray<PatchName> Conflicts { get; init; } = [];

    /// <summary>The line of patches that this one belongs to; null when it belongs to none.</summary>
    public string? Stream { get; init; }

    /// <summary>Number of the set within the stream; set when the stream is.</summary>
    public int? Sequence { get; init; }

    /// <summary>When closed gates no longer hold the patch, whatever its deferral budget says.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>Marks of its own; <see cref="GateOverlay"/> lays them over the host's.</summary>
    public GateOverrides? Gates { get; init; }

    /// <summary>A probation of its own; <see cref="SoakOverlay"/> lays it over the host's.</summary>
    public SoakOverrides? Soak { get; init; }

    public Rollback Rollback { get; init; }

    /// <summary>Keys that are not followed, because modules must be signed here and the manifest is not.</summary>
    public ImmutableArray<string> Ignored { get; init; } = [];
}
