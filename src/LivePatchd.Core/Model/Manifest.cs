// The optional sidecar NAME.yaml: what a patch's author says about it.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

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
    /// <summary>Functions the patch changes, as its author lists them; shown, never acted on.</summary>
    public ImmutableArray<string> Functions { get; init; } = [];
}
