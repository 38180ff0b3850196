// The signature at the end of a module: whether it is there, who made it and how. Nothing is verified here.
using System.Collections.Immutable;

namespace LivePatchd.Core.Elf;

/// <param name="Length">Bytes of the PKCS#7 message, as the trailer says.</param>
/// <param name="Problem">What is wrong with it, when its parts make no sense.</param>
public sealed record ModuleSignature(long Length, ImmutableArray<ModuleSigner> Signers, string? Problem)
{
    /// <summary>Certificates are in it, by which the kernel may find its way from the signer to a key that it has.</summary>
    public bool CarriesCertificates { get; init; }
}

/// <param name="Issuer">Of the signer's certificate: "CN=..., O=..."; null when the signer is named by key.</param>
/// <param name="Serial">Of the signer's certificate, lower-case hexadecimal.</param>
/// <param name="KeyId">Subject key identifier, lower-case hexadecimal; null when the signer is named by certificate.</param>
/// <param name="Digest">Such as sha256.</param>
/// <param name="Algorithm">Such as rsa.</param>
public sealed record ModuleSigner(string? Issuer, string? Serial, string? KeyId, string Digest, string Algorithm)
{
    /// <summary>What the kernel looks the key up by, lower-case hexadecimal; null when it is longer than can be asked for.</summary>
    public string? Lookup { get; init; }
}
