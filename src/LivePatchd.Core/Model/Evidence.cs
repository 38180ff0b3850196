// What was found out about the signatures of a patch and of its manifest, before anybody decides what that is worth.
namespace LivePatchd.Core.Model;

public enum SignatureState
{
    /// <summary>There is none.</summary>
    Unsigned,

    /// <summary>There is one, and no certificate to hold it against.</summary>
    Unchecked,

    /// <summary>Made over these very bytes with the key of a trusted certificate.</summary>
    Verified,

    /// <summary>Nobody who is named as a signer has a trusted certificate.</summary>
    Untrusted,

    /// <summary>Not made over these bytes, damaged, or of a kind that is not accepted.</summary>
    Mismatch,
}

/// <param name="Signer">The certificate's subject when verified, else whom the signature names; empty when there is none.</param>
/// <param name="Key">SHA-256 of the public key that verified it, in hexadecimal; empty unless verified.</param>
/// <param name="Detail">What is wrong with it, one line; empty when nothing is.</param>
public sealed record SignatureEvidence(SignatureState State, string Signer = "", string Key = "", string Detail = "")
{
    public static SignatureEvidence None { get; } = new(SignatureState.Unsigned);

    /// <summary>The word on every surface.</summary>
    public string Word => State switch
    {
        SignatureState.Unsigned => "unsigned",
        SignatureState.Unchecked => "unchecked",
        SignatureState.Verified => "verified",
        SignatureState.Untrusted => "untrusted",
        SignatureState.Mismatch => "mismatch",
        _ => throw new InvalidOperationException("closed set"),
    };
}

public sealed record Evidence(SignatureEvidence Module, SignatureEvidence Manifest)
{
    public static Evidence None { get; } = new(SignatureEvidence.None, SignatureEvidence.None);

    /// <summary>The signature that is shown: the manifest's where there is one, for it covers the module's digest; else the module's.</summary>
    public SignatureEvidence Shown => Manifest.State is SignatureState.Unsigned ? Module : Manifest;
}
