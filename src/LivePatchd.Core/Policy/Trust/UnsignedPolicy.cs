// Where modules must be signed, whoever may only write beside them decides nothing about how they are let in.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Trust;

public static class UnsignedPolicy
{
    /// <summary>The manifest without the keys that decide instead of describe, unless its own signature was verified; those keys are named in it.</summary>
    public static Manifest? Strip(Manifest? manifest, TrustSettings trust, Evidence evidence)
    {
        ArgumentNullException.ThrowIfNull(trust);
        ArgumentNullException.ThrowIfNull(evidence);
        if (manifest is null || !trust.AsksForModule || evidence.Manifest.State is SignatureState.Verified)
            return manifest;
        ImmutableArray<string> ignored =
        [
            .. manifest.Severity is Severity.Medium ? (IEnumerable<string>)[] : ["severity"],
            .. manifest.Gates is null ? (IEnumerable<string>)[] : ["gates"],
            .. manifest.Soak is null ? (IEnumerable<string>)[] : ["soak"],
            .. manifest.Deadline is null ? (IEnumerable<string>)[] : ["deadline"],
            .. manifest.Rollback is Rollback.Unspecified ? (IEnumerable<string>)[] : ["rollback"],
        ];
        return ignored.IsEmpty ? manifest : manifest with
        {
            Severity = Severity.Medium,
            Gates = null,
            Soak = null,
            Deadline = null,
            Rollback = Rollback.Unspecified,
            Ignored = ignored,
        };
    }
}
