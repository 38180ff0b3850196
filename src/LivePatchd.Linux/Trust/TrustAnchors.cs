// The certificates whose keys may sign, as read from their directory.
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LivePatchd.Linux.Trust;

/// <param name="Key">SHA-256 of the public key, in hexadecimal: what stays the same when a certificate is renewed.</param>
internal sealed record TrustAnchor(X509Certificate2 Certificate, string Key)
{
    private const int MinRsaBits = 2048;

    // RFC 5280: any, and code signing; the kernel's own for modules alone, which a machine owner's key may have.
    private static readonly string[] Purposes = ["2.5.29.37.0", "1.3.6.1.5.5.7.3.3", "1.3.6.1.4.1.2312.16.1.2"];

    /// <summary>Null, or what its issuer says that the key is not for; a certificate that says nothing is for anything.</summary>
    internal static string? Unfit(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions)
        {
            if (extension is X509KeyUsageExtension usage && (usage.KeyUsages & (X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation)) == 0)
                return "its key usage has no digital signature";
            if (extension is X509EnhancedKeyUsageExtension purposes && !purposes.EnhancedKeyUsages.Cast<Oid>().Any(static p => Purposes.Contains(p.Value)))
                return "its extended key usage has no code signing";
        }
        return null;
    }

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
