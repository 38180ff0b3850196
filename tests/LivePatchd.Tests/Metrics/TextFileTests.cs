// The file for node_exporter's textfile collector: whole or not at all, readable by everybody, gone with the daemon.
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Metrics;

namespace LivePatchd.Tests.Metrics;

public sealed class TextFileTests : IDisposable
{
    private const string Target = "/var/lib/node/livepatchd.prom";

    private readonly Bench bench = new();
    private readonly TextFile file;

    public TextFileTests()
    {
        bench.Files.MakeDirectory("/var/lib/node");
        file = new TextFile(bench.Root, bench.Log, bench.Meter.Instruments, TimeProvider.System);
    }

    public void Dispose()
    {
        file.Dispose();
        bench.Dispose();
    }

    private string Real => bench.Files.Path(Target);

    [Fact]
    public async Task Start_Directory_WholeTextForEverybody()
    {
        file.Start(Target);
        await Limit.Until(() => File.Exists(Real));
        Assert.Contains("livepatchd_info{version=\"1\"} 1\n", await File.ReadAllTextAsync(Real, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal((UnixFileMode)0b110_100_100, File.GetUnixFileMode(Real));
        Assert.Equal([Real], Directory.GetFiles(Path.GetDirectoryName(Real)!));
    }

    [Fact]
    public async Task Stop_WrittenFile_Removed()
    {
        file.Start(Target);
        await Limit.Until(() => File.Exists(Real));
        file.Stop();
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(Real)!));
    }

    [Fact]
    public async Task Start_LinkPutInItsWay_NotFollowed()
    {
        var victim = bench.Files.Write("/etc/shadow", "secret");
        File.CreateSymbolicLink(bench.Files.Path("/var/lib/node/.livepatchd.prom.part"), victim);
        File.CreateSymbolicLink(Real, victim);
        file.Start(Target);
        await Limit.Until(() => File.Exists(Real) && new FileInfo(Real).LinkTarget is null);
        Assert.Equal("secret", await File.ReadAllTextAsync(victim, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Start_NoDirectory_ReportedAndNothingElse()
    {
        file.Start("/nowhere/livepatchd.prom");
        await Limit.Until(() => bench.Said.Count("metrics.textfile cannot be written") == 1);
    }
}
