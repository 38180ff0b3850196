// A scan under every trust policy: signatures, certificates, denials and owners as files on a disk.
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Config;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Tests.Store;

namespace LivePatchd.Linux.Tests.Trust;

public sealed class TrustScanTests : IDisposable
{
    private const string Watched = "/var/lib/livepatchd/patches";
    private const string Here = Watched + "/" + ModuleImage.Release;
    private const string Keys = "/etc/livepatchd/keys.d";
    private const string Denials = "/etc/livepatchd/deny.d";

    private static readonly byte[] Image = ModuleImage.Named("lp_one").Build();

    private readonly FakeRoot root = new();
    private readonly Author author = Author.Rsa("author");
    private readonly DirectoryScanner scanner;

    public TrustScanTests() => scanner = new DirectoryScanner(
        root.Root, new PatchStore(root.Root), static (file, yaml) => ManifestReader.Read(file, yaml) is var r ? (r.Manifest, r.Errors) : default);

    public void Dispose()
    {
        root.Dispose();
        author.Dispose();
    }

    [Fact]
    public void A_signed_module_is_wanted_and_shows_its_signer()
    {
        Trust("author.pem", author.Pem);
        Put("lp_one.ko", author.SignModule(Image));
        var wanted = Assert.Single(Scan(TrustRequirement.ModuleSignature).Wanted);
        Assert.Equal((SignatureState.Verified, "CN=author"), (wanted.Evidence.Shown.State, wanted.Evidence.Shown.Signer));
    }

    [Fact]
    public void A_signed_module_may_be_compressed()
    {
        Trust("author.der", author.Der);
        Put("lp_one.ko.zst", Compressed.Zstd(author.SignModule(Image)));
        Assert.Single(Scan(TrustRequirement.ModuleSignature).Wanted);
    }

    [Fact]
    public void A_signed_manifest_vouches_for_an_unsigned_module()
    {
        Trust("author.pem", author.Pem);
        Put("lp_one.ko", Image);
        Assert.Equal(Reason.SignatureMissing, Refused(TrustRequirement.ManifestSignature));
        var yaml = Manifest($"sha256: {Digest(Image)}\n");
        Assert.Equal(Reason.SignatureMissing, Refused(TrustRequirement.ManifestSignature));
        Put("lp_one.yaml.p7s", author.SignFile(yaml, pem: true));
        Assert.Equal(SignatureState.Verified, Assert.Single(Scan(TrustRequirement.ManifestSignature).Wanted).Evidence.Manifest.State);
        Assert.Equal(Reason.SignatureMissing, Refused(TrustRequirement.Both));

        Manifest($"sha256: {Digest(Image)}\nseverity: low\n");
        Assert.Equal(Reason.SignatureMismatch, Refused(TrustRequirement.ManifestSignature));
        Put("lp_one.yaml.p7s", author.SignFile(Manifest("severity: low\n")));
        Assert.Equal(Reason.DigestNotPinned, Refused(TrustRequirement.ManifestSignature));
    }

    [Fact]
    public void Scan_UnsignedManifestBesideASignedModule_DecidesNothing()
    {
        Trust("author.pem", author.Pem);
        Put("lp_one.ko", author.SignModule(Image));
        var yaml = Manifest("severity: critical\nsoak: {duration: 0s}\n");
        var manifest = Assert.Single(Scan(TrustRequirement.ModuleSignature).Wanted).Manifest!;
        Assert.Equal((Severity.Medium, "severity,soak"), (manifest.Severity, string.Join(',', manifest.Ignored)));
        Put("lp_one.yaml.p7s", author.SignFile(yaml));
        Assert.Equal(Severity.Critical, Assert.Single(Scan(TrustRequirement.ModuleSignature).Wanted).Manifest!.Severity);
    }

    [Fact]
    public void Scan_HostChecks_AreTheNamesInHealthD()
    {
        root.Write("/etc/livepatchd/health.d/required.d/a.service", "");
        root.Write("/etc/livepatchd/health.d/wanted.d/b.service", "");
        Assert.Equal(["a.service", "b.service"], Scan(TrustRequirement.None).HostChecks);
    }

    [Fact]
    public void Both_signatures_are_both_needed()
    {
        var signed = author.SignModule(Image);
        Trust("author.pem", author.Pem);
        Put("lp_one.ko", signed);
        Assert.Equal(Reason.SignatureMissing, Refused(TrustRequirement.Both));
        Put("lp_one.yaml.p7s", author.SignFile(Manifest($"sha256: {Digest(signed)}\n")));
        Assert.Single(Scan(TrustRequirement.Both).Wanted);
    }

    [Fact]
    public void A_withdrawn_certificate_no_longer_counts_although_no_patch_file_changed()
    {
        using var next = Author.Rsa("next");
        Trust("author.pem", author.Pem);
        Put("lp_one.ko", author.SignModule(Image));
        Assert.Single(Scan(TrustRequirement.ModuleSignature).Wanted);
        File.Delete(root.Path(Keys + "/author.pem"));
        Trust("next.pem", next.Pem);
        Assert.Equal(Reason.SignatureUntrusted, Refused(TrustRequirement.ModuleSignature));
        Assert.Single(Scan(TrustRequirement.None).Wanted);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("empty")]
    [InlineData("writable")]
    [InlineData("a file")]
    [InlineData("too many")]
    public void Without_certificates_that_can_be_relied_on_nothing_is_loaded(string what)
    {
        Put("lp_one.ko", author.SignModule(Image));
        switch (what)
        {
            case "empty":
                root.MakeDirectory(Keys);
                break;
            case "writable":
                Trust("author.pem", author.Pem);
                File.SetUnixFileMode(root.Path(Keys), File.GetUnixFileMode(root.Path(Keys)) | UnixFileMode.OtherWrite);
                break;
            case "a file":
                root.Write(Keys, author.Pem);
                break;
            case "too many":
                for (var i = 0; i < 65; i++)
                    Trust($"{i}.pem", author.Pem);
                break;
        }
        Assert.Equal(Reason.TrustUnavailable, Refused(TrustRequirement.ModuleSignature));
        Assert.Single(Scan(TrustRequirement.None).Wanted);
    }

    [Fact]
    public void A_file_that_is_no_certificate_is_reported_and_has_no_effect()
    {
        Trust("author.pem", author.Pem);
        Trust("notes.txt", Encoding.ASCII.GetBytes("not a certificate"));
        File.CreateSymbolicLink(root.Path(Keys + "/link.pem"), root.Path(Keys + "/author.pem"));
        Put("lp_one.ko", author.SignModule(Image));
        var desired = Scan(TrustRequirement.ModuleSignature);
        Assert.Single(desired.Wanted);
        Assert.Equal([Keys + "/link.pem", Keys + "/notes.txt"], desired.Refused.Select(r => r.Path));
        Assert.All(desired.Refused, r => Assert.Equal(Reason.UnusableTrustFile, r.Reason));
    }

    public static TheoryData<string, X509Extension, bool> Usages => new()
    {
        { "what the kernel's own keys have", new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true), true },
        { "an authority's", new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true), false },
        { "for the exchange of keys", new X509KeyUsageExtension(X509KeyUsageFlags.KeyEncipherment, critical: false), false },
        { "code signing", Purposes("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.3"), true },
        { "modules only", Purposes("1.3.6.1.4.1.2312.16.1.2"), true },
        { "any", Purposes("2.5.29.37.0"), true },
        { "a web server's", Purposes("1.3.6.1.5.5.7.3.1"), false },
    };

    private static X509EnhancedKeyUsageExtension Purposes(params string[] purposes)
    {
        var all = new OidCollection();
        foreach (var purpose in purposes)
            all.Add(new Oid(purpose));
        return new X509EnhancedKeyUsageExtension(all, critical: false);
    }

    [Theory]
    [MemberData(nameof(Usages), DisableDiscoveryEnumeration = true)]
    public void Scan_CertificateForSomethingElse_IsReportedAndItsSignaturesCountForNothing(string what, X509Extension usage, bool fit)
    {
        using var signer = Author.For("signer", usage);
        Trust("author.pem", author.Pem);
        Trust("signer.pem", signer.Pem);
        Put("lp_one.ko", signer.SignModule(Image));
        var desired = Scan(TrustRequirement.ModuleSignature);
        Assert.True(fit == (desired.Wanted.Length == 1), what);
        if (!fit)
            Assert.Equal([Reason.SignatureUntrusted, Reason.UnusableTrustFile], desired.Refused.Select(r => r.Reason).Order(Comparer<Reason>.Create((a, b) => string.CompareOrdinal($"{a}", $"{b}"))));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_denied_digest_is_refused_under_every_policy(bool contents)
    {
        var packed = Compressed.Gzip(author.SignModule(Image));
        Trust("author.pem", author.Pem);
        Put("lp_one.ko.gz", packed);
        root.Write($"{Denials}/{(contents ? Digest(author.SignModule(Image)) : Digest(packed)).ToUpperInvariant()}", "");
        foreach (var require in new[] { TrustRequirement.None, TrustRequirement.ModuleSignature })
        {
            Assert.Equal(Reason.Denied, Refused(require));
            Assert.Contains(Digest(packed), Scan(require).Denied.Select(d => d.Hex));
        }
        Directory.Delete(root.Path(Denials), recursive: true);
        Assert.Single(Scan(TrustRequirement.None).Wanted);
    }

    [Fact]
    public void Scan_DenialOfTheContent_RefusesEveryPackingAndEverySignature()
    {
        using var other = Author.Rsa("other");
        root.Write($"{Denials}/{Digest(Image)}", "");
        foreach (var signed in new[] { Image, author.SignModule(Image), other.SignModule(Image), author.SignModuleWithTrailingBytes(Image) })
        {
            Put("lp_one.ko", signed);
            Assert.Equal(Reason.Denied, Refused(TrustRequirement.None));
            File.Delete(root.Path($"{Here}/lp_one.ko"));
            Put("lp_one.ko.xz", Compressed.Xz(signed));
            Assert.Equal(Reason.Denied, Refused(TrustRequirement.None));
            File.Delete(root.Path($"{Here}/lp_one.ko.xz"));
        }
    }

    [Theory]
    [InlineData("content")]
    [InlineData("image")]
    [InlineData("file")]
    public void Scan_DenialOfWhatIsLoaded_ReachesItWhileItsFileIsRefused(string which)
    {
        var signed = author.SignModule(Image);
        var packed = Compressed.Gzip(signed);
        Put("lp_one.ko.gz", packed);
        Assert.Single(Scan(TrustRequirement.None).Wanted);
        File.SetUnixFileMode(root.Path(Here + "/lp_one.ko.gz"), UnixFileMode.UserRead | UnixFileMode.OtherWrite);
        root.Write($"{Denials}/{Digest(which switch { "content" => Image, "image" => signed, _ => packed })}", "");
        // By a daemon that has just started as well: what was loaded is in the store.
        foreach (var any in new[] { scanner, new DirectoryScanner(root.Root, new PatchStore(root.Root)) })
        {
            var desired = any.Scan([new WatchedDirectory(Watched, ReadOnly: false)], ModuleImage.Release, TrustSettings.Default).Desired;
            Assert.Equal(Reason.UnsafePermissions, Assert.Single(desired.Refused).Reason);
            Assert.Contains(Digest(packed), desired.Denied.Select(d => d.Hex));
        }
    }

    [Fact]
    public void A_denial_under_a_wrong_name_is_reported()
    {
        Put("lp_one.ko", Image);
        root.Write($"{Denials}/{Digest(Image)[1..]}", "");
        var desired = Scan(TrustRequirement.None);
        Assert.Single(desired.Wanted);
        Assert.Equal(Reason.UnusableTrustFile, Assert.Single(desired.Refused).Reason);
    }

    [Fact]
    public void A_deny_list_that_cannot_be_relied_on_lets_nothing_in_and_denies_nothing()
    {
        Put("lp_one.ko", Image);
        root.Write($"{Denials}/{Digest(Image)}", "");
        File.SetUnixFileMode(root.Path(Denials), File.GetUnixFileMode(root.Path(Denials)) | UnixFileMode.GroupWrite);
        Assert.Equal(Reason.TrustUnavailable, Refused(TrustRequirement.None));
        Assert.Empty(Scan(TrustRequirement.None).Denied);
    }

    [Fact]
    public void Another_owner_may_be_named()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root gives files away");
        var path = Put("lp_one.ko", Image);
        Assert.Equal(Reason.TrustUnavailable, Refused(TrustRequirement.None, "builder"));
        Assert.Equal(0, FakeRoot.chown(path, 4711, 4711));
        Assert.Equal(Reason.UnsafeOwner, Refused(TrustRequirement.None));
        root.Write("/etc/passwd", "root:x:0:0::/root:/bin/sh\nbuilder:x:4711:4711::/:/bin/false\n");
        Assert.Single(Scan(TrustRequirement.None, "builder").Wanted);
        Assert.Equal(Reason.UnsafeOwner, Refused(TrustRequirement.None));
    }

    private static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private string Put(string name, byte[] content) => root.Write($"{Here}/{name}", content);

    private void Trust(string name, byte[] content) => root.Write($"{Keys}/{name}", content);

    private byte[] Manifest(string yaml)
    {
        var bytes = Encoding.ASCII.GetBytes(yaml);
        Put("lp_one.yaml", bytes);
        return bytes;
    }

    private DesiredState Scan(TrustRequirement require, string owner = "root") => scanner.Scan(
        [new WatchedDirectory(Watched, ReadOnly: false)], ModuleImage.Release, new TrustSettings(require, Keys, owner)).Desired;

    private Reason Refused(TrustRequirement require, string owner = "root")
    {
        var desired = Scan(require, owner);
        Assert.Empty(desired.Wanted);
        return Assert.Single(desired.Refused).Reason;
    }
}
