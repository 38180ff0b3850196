// Patches of a stream in tests.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Planning;

namespace LivePatchd.Core.Tests.Policy.Trust;

internal static class Streams
{
    public static Manifest Manifest(string? stream = null, int? sequence = null) =>
        new(null, null, [], null, [], Severity.Medium, null, [], [], null, null, []) { Stream = stream, Sequence = sequence };

    /// <param name="key">Whose signature the manifest bears; empty for none.</param>
    public static WantedPatch File(string name, int build, string? stream, int? sequence, string key = "key1") =>
        With(ModelHost.File(name, build), Manifest(stream, sequence), key);

    public static WantedPatch With(WantedPatch file, Manifest manifest, string key = "key1") => file with
    {
        Manifest = manifest,
        Evidence = Evidence.None with
        {
            Manifest = key.Length > 0 ? new SignatureEvidence(SignatureState.Verified, "CN=author", key) : SignatureEvidence.None,
        },
    };
}
