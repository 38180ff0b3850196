// The certificates whose keys may sign, as read from their directory.
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LivePatchd.Linux.Trust;

/// <param name="Key">SHA-256 of the public key, in hexadecimal: what stays the same when a certificate is renewed.</param>
internal sealed record TrustAnchor(X509Certificate2 Certificate, string Key)
{
    private const int MinRsaBits = 2048;

    /// <summary>Null when nobody should rely on the certificate's key.</summary>
    internal static TrustAnchor? Of(X509Certificate2 certificate)
    {
        using var rsa = certificate.GetRSAPublicKey();
        using var ec = certificate.GetECDsaPublicKey();
        return rsa?.KeySize >= MinRsaBits || ec is not null
            ? new TrustAnchor(certificate, Convert.ToHexStringLower(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo())))
            : null;
    }
}

/// <param name="Problem">Null, or why there are none.</param>
internal sealed record TrustAnchors(ImmutableArray<TrustAnchor> All, string? Problem)
{
    internal static TrustAnchors Without(string problem) => new([], problem);

    internal ImmutableHashSet<string> Keys { get; } = [.. All.Select(static a => a.Key)];
}
