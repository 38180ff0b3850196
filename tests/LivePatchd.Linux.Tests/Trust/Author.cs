// Somebody who signs: a key, its certificate, and signatures as the kernel's tool and as openssl make them.
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace LivePatchd.Linux.Tests.Trust;

internal sealed class Author : IDisposable
{
    private const int DescriptorSize = 12;
    private readonly AsymmetricAlgorithm key;

    private Author(AsymmetricAlgorithm key, CertificateRequest request, TimeSpan age, TimeSpan life, params X509Extension[] extensions)
    {
        this.key = key;
        foreach (var extension in extensions)
            request.CertificateExtensions.Add(extension);
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var from = DateTimeOffset.UtcNow - age;
        Certificate = request.CreateSelfSigned(from, from + life);
    }

    public X509Certificate2 Certificate { get; }

    public string Subject => Certificate.Subject;

    public byte[] Der => Certificate.Export(X509ContentType.Cert);

    public byte[] Pem => Encoding.ASCII.GetBytes(Certificate.ExportCertificatePem() + "\n");

    public static Author Rsa(string name, int bits = 2048, TimeSpan? age = null, TimeSpan? life = null)
    {
        var key = RSA.Create(bits);
        return new(key, new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), age ?? TimeSpan.FromDays(1), life ?? TimeSpan.FromDays(365));
    }

    public static Author For(string name, params X509Extension[] extensions)
    {
        var key = RSA.Create(2048);
        return new(key, new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), TimeSpan.FromDays(1), TimeSpan.FromDays(365), extensions);
    }

    public static Author Ec(string name)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        return new(key, new CertificateRequest("CN=" + name, key, HashAlgorithmName.SHA384), TimeSpan.FromDays(1), TimeSpan.FromDays(365));
    }

    /// <summary>As scripts/sign-file appends it: detached, no certificate, no attributes.</summary>
    public byte[] SignModule(
        byte[] module, string digest = "2.16.840.1.101.3.4.2.1", SubjectIdentifierType by = SubjectIdentifierType.IssuerAndSerialNumber, bool attributes = false) =>
        Append(module, Sign(module, digest, by, attributes, X509IncludeOption.None));

    /// <summary>What nobody has signed: whoever has the file can do it.</summary>
    public byte[] SignModuleWithUnsignedAttribute(byte[] module) => Append(module, WithUnsignedAttribute(module));

    /// <inheritdoc cref="SignModuleWithUnsignedAttribute"/>
    public byte[] WithUnsignedAttribute(byte[] content)
    {
        var cms = new SignedCms(new ContentInfo(content), detached: true);
        cms.Decode(Sign(content, "2.16.840.1.101.3.4.2.1", SubjectIdentifierType.IssuerAndSerialNumber, attributes: false, X509IncludeOption.None));
        cms.SignerInfos[0].AddUnsignedAttribute(new AsnEncodedData(new Oid("1.2.3.4"), [4, 1, 7]));
        return cms.Encode();
    }

    /// <summary>The message with two bytes behind it, which the trailer counts as part of it.</summary>
    public byte[] SignModuleWithTrailingBytes(byte[] module) =>
        Append(module, [.. Sign(module, "2.16.840.1.101.3.4.2.1", SubjectIdentifierType.IssuerAndSerialNumber, false, X509IncludeOption.None), 0, 7]);

    private static byte[] Append(byte[] module, byte[] message)
    {
        var descriptor = new byte[DescriptorSize];
        descriptor[2] = 2;
        BinaryPrimitives.WriteInt32BigEndian(descriptor.AsSpan(8), message.Length);
        return [.. module, .. message, .. descriptor, .. "~Module signature appended~\n"u8];
    }

    /// <summary>As `openssl cms -sign -binary` makes it: detached, with attributes, the certificate inside.</summary>
    public byte[] SignFile(byte[] content, bool pem = false)
    {
        var message = Sign(content, "2.16.840.1.101.3.4.2.1", SubjectIdentifierType.IssuerAndSerialNumber, attributes: true, X509IncludeOption.EndCertOnly);
        return pem ? Encoding.ASCII.GetBytes(PemEncoding.WriteString("CMS", message) + "\n") : message;
    }

    public void Dispose()
    {
        Certificate.Dispose();
        key.Dispose();
    }

    private byte[] Sign(byte[] content, string digest, SubjectIdentifierType by, bool attributes, X509IncludeOption include)
    {
        var signer = new CmsSigner(by, Certificate) { DigestAlgorithm = new Oid(digest), IncludeOption = include };
        if (attributes)
            signer.SignedAttributes.Add(new Pkcs9SigningTime());
        var cms = new SignedCms(new ContentInfo(content), detached: true);
        cms.ComputeSignature(signer);
        return cms.Encode();
    }
}
