// May these bytes be loaded, going by who signed them? Pure: what was found out × what is asked for → nothing, or why not.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Trust;

public sealed record Distrust(Reason Reason, string Detail);

public static class TrustRule
{
    /// <summary>Null when the patch brings what is asked for. The kernel's own check of the module comes after this one and stays as it is.</summary>
    public static Distrust? Judge(TrustSettings trust, Evidence evidence, Manifest? manifest) =>
        (trust.AsksForModule ? OfModule(evidence.Module) : null) ?? (trust.AsksForManifest ? OfManifest(evidence.Manifest, manifest) : null);

    private static Distrust? OfModule(SignatureEvidence signature) => Of(signature, "the module");

    private static Distrust? OfManifest(SignatureEvidence signature, Manifest? manifest)
    {
        if (manifest is null)
            return new(Reason.SignatureMissing, "there is no manifest beside the module");
        if (Of(signature, "the manifest") is { } distrust)
            return distrust;
        // Else the signature would say nothing of the module that it is found beside.
        return manifest.Sha256 is null ? new(Reason.DigestNotPinned, "the signed manifest has no sha256") : null;
    }

    private static Distrust? Of(SignatureEvidence signature, string what) => signature.State switch
    {
        SignatureState.Verified => null,
        SignatureState.Unsigned => new(Reason.SignatureMissing, $"{what} is not signed"),
        SignatureState.Untrusted => new(Reason.SignatureUntrusted, $"{what} is signed by {signature.Signer}"),
        SignatureState.Mismatch => new(Reason.SignatureMismatch, $"{what}: {signature.Detail}"),
        _ => new(Reason.TrustUnavailable, $"{what} is signed, and there is no certificate to hold that against"),
    };
}
