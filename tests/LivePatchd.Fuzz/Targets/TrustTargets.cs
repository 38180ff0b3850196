// Signatures held against a trusted certificate, and the certificates themselves: whatever is damaged, nothing is verified that was not signed.
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Trust;

namespace LivePatchd.Fuzz.Targets;

internal static class TrustTargets
{
    private static readonly byte[] Content = "name: lp_one\nsha256: 00\n"u8.ToArray();

    private static readonly X509Certificate2 Certificate = Create();

    private static readonly TrustAnchors Anchors = new([TrustAnchor.Of(Certificate)!], null);

    private static readonly byte[] Good = Sign(Content, SubjectIdentifierType.IssuerAndSerialNumber);

    public static IReadOnlyList<Target> List { get; } =
    [
        new Target<SignatureEvidence>("cms", static input => CmsVerifier.OfFile(Content, input, Anchors), static (_, evidence) =>
        {
            Expect.OneLine(evidence.Signer, 257, "the signer");
            Expect.OneLine(evidence.Detail, 300, "the detail");
            Expect.That(evidence.State is SignatureState.Verified == evidence.Key.Length > 0, "a key is the one that verified");
            // The content stays, so whoever is believed must have signed just it.
            Expect.That(evidence.State is not SignatureState.Verified || evidence.Key == Anchors.All[0].Key, "nobody but the trusted key verifies");
            return $"{evidence.State} {evidence.Detail}";
        })
        {
            Made = [Good, Sign(Content, SubjectIdentifierType.SubjectKeyIdentifier), Sign("other"u8.ToArray(), SubjectIdentifierType.IssuerAndSerialNumber), Pem("PKCS7", Good), Pem("CMS", Good), []],
            Words = Words.Of("-----BEGIN PKCS7-----\n", "-----END PKCS7-----\n", "\u0030\u0080", "\u00a0\u0080", "\u0031\u0000", "\u0006\u0009*\u0086H\u0086\u00f7\r\u0001\u0007\u0002"),
        },
        new Target<SignatureEvidence>("cms-content", static input => CmsVerifier.OfFile(input, Good, Anchors), static (input, evidence) =>
        {
            Expect.That(evidence.State is SignatureState.Verified == input.SequenceEqual(Content), "verified is what was signed, and nothing else");
            return $"{evidence.State} {evidence.Detail}";
        })
        {
            Made = [Content, []],
        },
        new Target<int>("certificate", static input =>
        {
            try
            {
                return CertificateDirectory.Parse(input).Count(static c => TrustAnchor.Of(c) is not null);
            }
            catch (CryptographicException)
            {
                // What its caller expects for anything that is no certificate.
                return -1;
            }
        }, static (_, anchors) => Expect.Size(anchors + 1))
        {
            Made = [Certificate.RawData, Encoding.ASCII.GetBytes(Certificate.ExportCertificatePem()), []],
            Words = Words.Of("-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "-----BEGIN PRIVATE KEY-----\n", "\u0030\u0082\u00ff\u00ff"),
        },
    ];

    private static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Fuzz, O=Nobody", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        return request.CreateSelfSigned(start, start.AddYears(10));
    }

    private static byte[] Sign(byte[] content, SubjectIdentifierType named)
    {
        var cms = new SignedCms(new ContentInfo(content), detached: true);
        cms.ComputeSignature(new CmsSigner(named, Certificate) { IncludeOption = X509IncludeOption.None });
        return cms.Encode();
    }

    private static byte[] Pem(string label, byte[] message) => Encoding.ASCII.GetBytes(PemEncoding.WriteString(label, message));
}
