// Signatures of modules and files: what counts, what is told apart, and that no byte can be changed.
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Trust;

namespace LivePatchd.Linux.Tests.Trust;

public sealed class CmsVerifierTests : IDisposable
{
    private const string Sha1 = "1.3.14.3.2.26";
    private const string Sha512 = "2.16.840.1.101.3.4.2.3";

    private static readonly byte[] Module = new ModuleImage().Build();
    private static readonly byte[] Text = Encoding.ASCII.GetBytes("schema: 1\n");

    private readonly Author author = Author.Rsa("author");
    private readonly Author stranger = Author.Rsa("author"); // The same name, another key.

    public void Dispose()
    {
        author.Dispose();
        stranger.Dispose();
    }

    [Fact]
    public void The_kernels_form_is_verified_over_all_bytes_before_it()
    {
        var evidence = CmsVerifier.OfModule(author.SignModule(Module), Trusting(author));
        Assert.Equal((SignatureState.Verified, "CN=author"), (evidence.State, evidence.Signer));
        Assert.Equal(TrustAnchor.Of(author.Certificate)!.Key, evidence.Key);
    }

    [Theory]
    [InlineData(SubjectIdentifierType.IssuerAndSerialNumber)]
    [InlineData(SubjectIdentifierType.SubjectKeyIdentifier)]
    public void The_signer_is_found_by_certificate_and_by_key(SubjectIdentifierType by) =>
        Assert.Equal(SignatureState.Verified, CmsVerifier.OfModule(author.SignModule(Module, Sha512, by), Trusting(stranger, author)).State);

    [Fact]
    public void An_elliptic_key_signs_too()
    {
        using var ec = Author.Ec("curve");
        Assert.Equal(SignatureState.Verified, CmsVerifier.OfModule(ec.SignModule(Module, Sha512), Trusting(ec)).State);
    }

    [Fact]
    public void No_byte_of_a_signed_module_can_be_changed_and_no_change_behind_it_makes_another_signer()
    {
        var signed = author.SignModule(Module);
        var anchors = Trusting(author);
        // Of the module one byte in 61, and its end; all of the signature.
        for (var at = 0; at < signed.Length; at += at < Module.Length - 16 ? 61 : 1)
        {
            var changed = signed.ToArray();
            changed[at] ^= 0x20;
            var evidence = CmsVerifier.OfModule(changed, anchors);
            // CMS has some bytes that nothing depends on, such as the list of digests that announces the signers'.
            if (at < Module.Length)
                Assert.NotEqual(SignatureState.Verified, evidence.State);
            else if (evidence.State is SignatureState.Verified)
                Assert.Equal(anchors.All[0].Key, evidence.Key);
        }
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfModule([0, .. signed], anchors).State);
    }

    [Fact]
    public void An_unsigned_module_an_unknown_signer_and_no_certificates_are_told_apart()
    {
        Assert.Equal(SignatureState.Unsigned, CmsVerifier.OfModule(Module, Trusting(author)).State);
        var unknown = CmsVerifier.OfModule(stranger.SignModule(Module), Trusting(author));
        Assert.Equal(SignatureState.Untrusted, unknown.State);
        Assert.StartsWith("CN=author (serial ", unknown.Signer, StringComparison.Ordinal);
        Assert.Equal(SignatureState.Unchecked, CmsVerifier.OfModule(author.SignModule(Module), TrustAnchors.Without("none")).State);
    }

    [Fact]
    public void A_weak_digest_and_signed_attributes_are_refused()
    {
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfModule(author.SignModule(Module, Sha1), Trusting(author)).State);
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfModule(author.SignModule(Module, attributes: true), Trusting(author)).State);
    }

    [Fact]
    public void OfModule_BytesBehindTheMessageOrUnsignedAttributes_IsAMismatch()
    {
        var trailing = CmsVerifier.OfModule(author.SignModuleWithTrailingBytes(Module), Trusting(author));
        Assert.Equal((SignatureState.Mismatch, "the signature: 2 bytes follow its message"), (trailing.State, trailing.Detail));
        var attribute = CmsVerifier.OfModule(author.SignModuleWithUnsignedAttribute(Module), Trusting(author));
        Assert.Equal((SignatureState.Mismatch, "the signature: it has unsigned attributes, which nobody has signed"), (attribute.State, attribute.Detail));
    }

    [Fact]
    public void OfFile_BytesBehindTheMessageOrUnsignedAttributes_IsAMismatch()
    {
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfFile(Text, [.. author.SignFile(Text), 0], Trusting(author)).State);
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfFile(Text, author.WithUnsignedAttribute(Text), Trusting(author)).State);
    }

    [Fact]
    public void Validity_dates_do_not_count()
    {
        using var old = Author.Rsa("old", age: TimeSpan.FromDays(900), life: TimeSpan.FromDays(10));
        Assert.Equal(SignatureState.Verified, CmsVerifier.OfModule(old.SignModule(Module), Trusting(old)).State);
    }

    [Fact]
    public void A_key_that_is_too_short_anchors_nothing()
    {
        using var weak = Author.Rsa("weak", bits: 1024);
        Assert.Null(TrustAnchor.Of(weak.Certificate));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_is_signed_in_pem_or_der(bool pem)
    {
        var evidence = CmsVerifier.OfFile(Text, author.SignFile(Text, pem), Trusting(author));
        Assert.Equal(SignatureState.Verified, evidence.State);
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfFile([.. Text, (byte)'\n'], author.SignFile(Text, pem), Trusting(author)).State);
        Assert.Equal(SignatureState.Untrusted, CmsVerifier.OfFile(Text, stranger.SignFile(Text, pem), Trusting(author)).State);
    }

    [Fact]
    public void A_certificate_inside_the_message_is_never_believed()
    {
        // Same issuer and serial as the trusted one, another key, and the certificate of that key enclosed.
        using var key = RSA.Create(2048);
        using var forged = new CertificateRequest("CN=author", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .Create(new X500DistinguishedName("CN=author"), X509SignatureGenerator.CreateForRSA(key, RSASignaturePadding.Pkcs1), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1), Convert.FromHexString(author.Certificate.SerialNumber))
            .CopyWithPrivateKey(key);
        var cms = new SignedCms(new ContentInfo(Text), detached: true);
        cms.ComputeSignature(new CmsSigner(forged) { IncludeOption = X509IncludeOption.EndCertOnly });
        cms.CheckSignature(verifySignatureOnly: true); // It is a good signature, of somebody.
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfFile(Text, cms.Encode(), Trusting(author)).State);
    }

    [Fact]
    public void A_message_with_a_content_of_its_own_is_refused()
    {
        var cms = new SignedCms(new ContentInfo(Text), detached: false);
        cms.ComputeSignature(new CmsSigner(author.Certificate));
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfFile(Text, cms.Encode(), Trusting(author)).State);
    }

    [Fact]
    public void Any_bytes_give_an_answer()
    {
        var message = author.SignFile(Text);
        var anchors = Trusting(author);
        for (var length = 0; length < message.Length; length += 7)
            Assert.NotEqual(SignatureState.Verified, CmsVerifier.OfFile(Text, message.AsSpan(0, length), anchors).State);
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfFile(Text, new byte[CmsVerifier.MaxMessage + 1], anchors).State);
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfFile(Text, "-----BEGIN CMS-----\n!\n-----END CMS-----\n"u8, anchors).State);
        Assert.Equal(SignatureState.Mismatch, CmsVerifier.OfFile(Text, author.Pem, anchors).State);
    }

    internal static TrustAnchors Trusting(params Author[] authors) => new([.. authors.Select(a => TrustAnchor.Of(a.Certificate)!)], null);
}
