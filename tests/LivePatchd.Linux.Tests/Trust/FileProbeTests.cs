// What would become of a file that nobody has put anywhere: the same judgement as by a scan with the file in its place.
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Config;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Tests.Trust;

public sealed class FileProbeTests : IDisposable
{
    private const string Watched = "/var/lib/livepatchd/patches";
    private const string Here = Watched + "/" + ModuleImage.Release;
    private const string Keys = "/etc/livepatchd/keys.d";
    private const string Denials = "/etc/livepatchd/deny.d";
    private const string Handed = "/root/handed";

    private static readonly byte[] Image = ModuleImage.Named("lp_one").Build();

    private readonly FakeRoot root = new();
    private readonly Author author = Author.Rsa("author");
    private readonly Author stranger = Author.Rsa("stranger");
    private readonly DirectoryScanner scanner;
    private readonly FileProbe probe;

    public FileProbeTests()
    {
        var store = new PatchStore(root.Root);
        scanner = new DirectoryScanner(root.Root, store, static (file, yaml) => ManifestReader.Read(file, yaml) is var r ? (r.Manifest, r.Errors) : default);
        probe = new FileProbe(root.Root, store, scanner);
        root.Write($"{Keys}/author.pem", author.Pem);
    }

    public void Dispose()
    {
        root.Dispose();
        author.Dispose();
        stranger.Dispose();
    }

    [Theory]
    [InlineData(TrustRequirement.None)]
    [InlineData(TrustRequirement.ModuleSignature)]
    [InlineData(TrustRequirement.ManifestSignature)]
    [InlineData(TrustRequirement.Both)]
    public void A_file_is_judged_as_a_scan_will_judge_it(TrustRequirement require)
    {
        byte[][] images = [Image, author.SignModule(Image), stranger.SignModule(Image)];
        foreach (var image in images)
        {
            // Without a manifest, with one that nobody signed, and with one that is signed.
            var yaml = Encoding.UTF8.GetBytes($"sha256: {Convert.ToHexStringLower(SHA256.HashData(image))}\n");
            foreach (var manifest in (int[])[0, 1, 2])
            {
                if (manifest > 0)
                    root.Write($"{Here}/lp_one.yaml", yaml);
                if (manifest > 1)
                    root.Write($"{Here}/lp_one.yaml.p7s", author.SignFile(yaml));
                Scan(require);
                var (foreseen, seen) = (Judge(image), Drop(image, require));
                Assert.Equal(seen, foreseen);
                Directory.Delete(root.Root.Path(Here), recursive: true);
            }
        }
    }

    [Fact]
    public void A_denial_counts()
    {
        Scan(TrustRequirement.None);
        Assert.Null(Judge(Image).Reason);
        root.Write($"{Denials}/{Convert.ToHexStringLower(SHA256.HashData(Image))}", []);
        Assert.Equal(Reason.Denied, Judge(Image).Reason);
        Assert.Equal(Reason.Denied, Drop(Image, TrustRequirement.None).Reason);
    }

    private (Reason? Reason, SignatureState Module, SignatureState Manifest) Judge(byte[] image)
    {
        root.Write($"{Handed}/lp_one.ko", image);
        var result = probe.Judge(File.OpenHandle(root.Root.Path($"{Handed}/lp_one.ko")), "lp_one.ko", Here, ModuleImage.Release);
        Assert.True(result.Error.IsOk);
        Assert.False(File.Exists(root.Root.Path($"{Here}/lp_one.ko")));
        return result.Refused is { } refused
            ? (refused.Reason, default, default)
            : (null, result.Evidence.Module.State, result.Evidence.Manifest.State);
    }

    private (Reason? Reason, SignatureState Module, SignatureState Manifest) Drop(byte[] image, TrustRequirement require)
    {
        root.Write($"{Here}/lp_one.ko", image);
        var desired = Scan(require);
        return desired.Refused.IsEmpty
            ? (null, Assert.Single(desired.Wanted).Evidence.Module.State, desired.Wanted[0].Evidence.Manifest.State)
            : (Assert.Single(desired.Refused).Reason, default, default);
    }

    private DesiredState Scan(TrustRequirement require) =>
        scanner.Scan([new WatchedDirectory(Watched, false)], ModuleImage.Release, TrustSettings.Default with { Require = require }).Desired;
}
