// Holds a detached CMS (PKCS#7) signature against the bytes it was made over and against the trusted certificates. No chain, no network.
using System.Formats.Asn1;
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Security.Cryptography.Xml;
using System.Text;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Linux.Trust;

internal static class CmsVerifier
{
    internal const int MaxMessage = 64 << 10;

    private const int MaxSigners = 8;
    private const int MaxShown = 256;

    // What the kernel can be built with to sign modules, short of SHA-1.
    private static readonly HashSet<string> Digests =
    [
        "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.3",
        "2.16.840.1.101.3.4.2.8", "2.16.840.1.101.3.4.2.9", "2.16.840.1.101.3.4.2.10",
    ];

    /// <summary>The signature at the end of a module, over all the bytes before it.</summary>
    internal static SignatureEvidence OfModule(ReadOnlySpan<byte> image, TrustAnchors anchors)
    {
        if (SignatureTrailer.Split(image) is not { } split)
            return SignatureEvidence.None;
        return split.Problem is { } problem
            ? new SignatureEvidence(SignatureState.Mismatch, Detail: problem)
            // The kernel refuses signed attributes here, so nothing is lost by refusing them too.
            : Verify(image[..split.Content], image.Slice(split.Content, split.Message), anchors, attributes: false);
    }

    /// <param name="message">PEM or DER.</param>
    internal static SignatureEvidence OfFile(ReadOnlySpan<byte> content, ReadOnlySpan<byte> message, TrustAnchors anchors)
    {
        if (message.IndexOf("-----BEGIN"u8) < 0)
            return Verify(content, message, anchors, attributes: true);
        var text = Encoding.Latin1.GetString(message);
        if (!PemEncoding.TryFind(text, out var fields) || text[fields.Label] is not ("PKCS7" or "CMS"))
            return Broken("it is neither PEM nor DER");
        return Verify(content, Convert.FromBase64String(text[fields.Base64Data]), anchors, attributes: true);
    }

    private static SignatureEvidence Verify(ReadOnlySpan<byte> content, ReadOnlySpan<byte> message, TrustAnchors anchors, bool attributes)
    {
        if (message.Length > MaxMessage)
            return Broken($"it is longer than {MaxMessage} bytes");
        try
        {
            // The decoder below leaves alone what follows the message, and nothing signs it.
            AsnDecoder.ReadSequence(message, AsnEncodingRules.BER, out _, out _, out var length);
            if (length != message.Length)
                return Broken($"{message.Length - length} bytes follow its message");
            var named = new SignedCms();
            named.Decode(message);
            var names = string.Join("; ", named.SignerInfos.Cast<SignerInfo>().Take(MaxSigners).Select(Name));
            var signer = Printable.Line(names, MaxShown);
            if (anchors.All.IsEmpty)
                return new SignatureEvidence(SignatureState.Unchecked, signer);
            if (named.SignerInfos.Count is 0 or > MaxSigners)
                return Broken("it has no signer, or too many");
            if (named.ContentInfo.Content.Length > 0)
                return Broken("it has a content of its own");
            if (named.SignerInfos.Cast<SignerInfo>().Any(static s => s.UnsignedAttributes.Count > 0))
                return Broken("it has unsigned attributes, which nobody has signed");
            // The content is copied only for somebody who is known.
            return named.SignerInfos.Cast<SignerInfo>().Any(s => anchors.All.Any(a => Matches(s, a)))
                ? Check(content, message, anchors, attributes, signer)
                : new SignatureEvidence(SignatureState.Untrusted, signer);
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            return Broken("it is no CMS signature");
        }
    }

    private static SignatureEvidence Check(ReadOnlySpan<byte> content, ReadOnlySpan<byte> message, TrustAnchors anchors, bool attributes, string names)
    {
        var cms = new SignedCms(new ContentInfo(content.ToArray()), detached: true);
        cms.Decode(message);
        // A certificate inside the message could bear a trusted name and another key.
        foreach (var enclosed in cms.Certificates)
            cms.RemoveCertificate(enclosed);
        var why = "it was not made over these bytes";
        foreach (var signer in cms.SignerInfos)
        {
            foreach (var anchor in anchors.All.Where(a => Matches(signer, a)))
            {
                if (!Digests.Contains(signer.DigestAlgorithm.Value!))
                    why = "its digest is not SHA-256, SHA-384, SHA-512 or SHA-3";
                else if (!attributes && signer.SignedAttributes.Count > 0)
                    why = "it has signed attributes, which the kernel refuses";
                else if (Holds(signer, anchor.Certificate))
                    return new SignatureEvidence(SignatureState.Verified, Printable.Line(anchor.Certificate.Subject, MaxShown), anchor.Key);
            }
        }
        return Broken(why) with { Signer = names };
    }

    private static bool Holds(SignerInfo signer, X509Certificate2 certificate)
    {
        try
        {
            // Validity dates are not looked at: when it was signed cannot be known, and a key is withdrawn by its file.
            signer.CheckSignature([certificate], verifySignatureOnly: true);
            return true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool Matches(SignerInfo signer, TrustAnchor anchor) => signer.SignerIdentifier.Value switch
    {
        X509IssuerSerial named => named.IssuerName == anchor.Certificate.Issuer && named.SerialNumber == anchor.Certificate.SerialNumber,
        string keyId => anchor.Certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Any(e =>
            string.Equals(e.SubjectKeyIdentifier, keyId, StringComparison.OrdinalIgnoreCase)),
        _ => false,
    };

    private static string Name(SignerInfo signer) => signer.SignerIdentifier.Value switch
    {
        X509IssuerSerial named => string.Create(CultureInfo.InvariantCulture, $"{named.IssuerName} (serial {named.SerialNumber.ToLowerInvariant()})"),
        string keyId => $"key {keyId.ToLowerInvariant()}",
        _ => "somebody unnamed",
    };

    private static SignatureEvidence Broken(string why) => new(SignatureState.Mismatch, Detail: $"the signature: {why}");
}
