// Files made to cost memory or time, against the daemon as a process: each is refused, the daemon stays small and answers.
using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using LivePatchd.Linux.Tests.Store;

namespace LivePatchd.EndToEnd.Tests;

public sealed class BombTests
{
    private const int MaxResidentMiB = 96;

    // A daemon that compiles itself as it runs is large before it has read a file.
    private const int MaxGrowthMiB = 48;

    /// <summary>Of the daemon's own time, so that a busy machine does not count.</summary>
    private static readonly TimeSpan MaxWork = TimeSpan.FromSeconds(1);

    public static IEnumerable<(string Name, string Reason, Func<byte[]> Module, Func<byte[]>? Manifest)> Bombs =>
    [
        ("lp_gz.ko.gz", "decompressed-too-large", Compressed.GzipBomb, null),
        ("lp_zst.ko.zst", "decompressed-too-large", Compressed.ZstdBomb, null),
        ("lp_xz.ko.xz", "decompressed-too-large", Compressed.XzBomb, null),
        ("lp_sections.ko", "malformed-module", ManySections, null),
        ("lp_zeros.ko", "not-an-elf-file", () => new byte[8 << 20], null),
        ("lp_alias.ko", "invalid-manifest", Good("lp_alias"), () => Encoding.ASCII.GetBytes(Aliases())),
        ("lp_deep.ko", "invalid-manifest", Good("lp_deep"), () => Encoding.ASCII.GetBytes("gates: " + new string('[', 60_000))),
        ("lp_deeper.ko", "invalid-manifest", Good("lp_deeper"), () => Encoding.ASCII.GetBytes("a: " + string.Concat(Enumerable.Repeat("{a: ", 15_000)))),
        ("lp_wide.ko", "invalid-manifest", Good("lp_wide"), () => Encoding.ASCII.GetBytes("cves: [" + string.Concat(Enumerable.Repeat("a,", 30_000)) + "]")),
        ("lp_long.ko", "invalid-manifest", Good("lp_long"), () => new byte[32 << 20]),
    ];

    [Fact]
    public async Task Each_is_refused_soon_and_the_daemon_stays_small_and_answers()
    {
        await using var host = new TestHost();
        using var daemon = new DaemonProcess(host);
        await daemon.Notifies(m => m == "READY=1");
        await Limit.Until(() => host.View.List().IsOk, () => daemon.Said);
        // What runs for the first time is compiled then, which is no work of the bomb's.
        host.Write($"{TestHost.PatchDirectory}/lp_warm.yaml", "severity: low\ngates: {settle: 1m}\n");
        host.Drop("lp_warm.ko.gz", Compressed.Gzip(new Patch("lp_warm").Bytes));
        host.Drop("lp_warm_zst.ko.zst", Compressed.Zstd(new Patch("lp_warm_zst").Bytes));
        host.Drop("lp_warm_xz.ko.xz", Compressed.Xz(new Patch("lp_warm_xz").Bytes));
        foreach (var name in new[] { "lp_warm", "lp_warm_zst", "lp_warm_xz" })
            await host.Becomes(name, "held", "observe-mode");

        var works = new List<(string Name, TimeSpan Work)>();
        var warm = daemon.PeakResidentMiB;
        foreach (var (name, reason, module, manifest) in Bombs)
        {
            var patch = name.Split('.')[0];
            if (manifest is not null)
            {
                File.WriteAllBytes(host.Root.Path($"{TestHost.PatchDirectory}/{patch}.yaml"), manifest());
                TestHost.Mode(host.Root.Path($"{TestHost.PatchDirectory}/{patch}.yaml"), "644");
            }
            var bytes = module();
            var before = daemon.Work;
            host.Drop(name, bytes);
            await host.Becomes(patch, "rejected", manifest is null ? reason : null);
            var work = daemon.Work - before;
            works.Add((name, work));
            Assert.True(work <= MaxWork, $"{name} took {work.TotalSeconds:F2} s of the daemon's time");
            Assert.True(host.View.List().IsOk);
        }
        var sparse = host.Drop("lp_sparse.ko", new Patch("lp_sparse").Bytes);
        using (var file = File.OpenHandle(sparse, FileMode.Open, FileAccess.Write))
            RandomAccess.SetLength(file, 64 << 20);
        await host.Becomes("lp_sparse", "rejected", "file-too-large");

        TestContext.Current.TestOutputHelper?.WriteLine($"at most {daemon.PeakResidentMiB} MiB resident, {warm} before; {string.Join(", ", works.Select(w => $"{w.Name} {w.Work.TotalMilliseconds:F0} ms"))}");
        Assert.InRange(daemon.PeakResidentMiB, 1, DaemonProcess.IsShipped ? MaxResidentMiB : warm + MaxGrowthMiB);
        await daemon.Signal("TERM");
        await daemon.Exits(0);
    }

    private static Func<byte[]> Good(string name) => () => new Patch(name).Bytes;

    /// <summary>The header says zero sections, which means that the first of them tells the number: 2^32.</summary>
    private static byte[] ManySections()
    {
        var image = new Patch("lp_sections").Bytes;
        var table = (int)BinaryPrimitives.ReadUInt64LittleEndian(image.AsSpan(40));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(60), 0);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(table + 32), 1UL << 32);
        return image;
    }

    private static string Aliases()
    {
        var text = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (var i = 1; i < 30; i++)
            text.Append(CultureInfo.InvariantCulture, $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n");
        return text.ToString();
    }
}
