// The host's mark: which boots were shut down, and how often the daemon ended badly in this one.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class HostBookTests : IDisposable
{
    private readonly Bench bench = new();

    private string MarkFile => bench.Files.Path(HostBook.Path);

    public void Dispose() => bench.Dispose();

    private HostBook Opened(string boot = Bench.Boot)
    {
        var mark = new HostBook(new StateFile(bench.Root, HostBook.Path), new StateFile(bench.Root, HostBook.EndPath), bench.Log);
        mark.Open(boot, bench.Now);
        return mark;
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CleanBoots_LastBoot_OnlyWhenShutDown(bool shutDown)
    {
        var mark = Opened();
        mark.Begin();
        mark.End(shutDown);
        Assert.Equal(shutDown ? [Bench.Boot] : [], Opened(Bench.NextBoot).CleanBoots);
    }

    [Fact]
    public void CleanBoots_StillTheSameBoot_Empty()
    {
        var mark = Opened();
        mark.Begin();
        // A shutdown that somebody cancelled.
        mark.End(shutDown: true);
        Assert.Empty(Opened().CleanBoots);
    }

    [Fact]
    public void CleanBoots_KilledAfterAShutdownOfTheBootBefore_Empty()
    {
        Opened().Begin();
        Assert.Empty(Opened(Bench.NextBoot).CleanBoots);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CrashedBoot_LastBootNotShutDown_UntilThisOneHasItsMark(bool shutDown)
    {
        var mark = Opened();
        Assert.Null(mark.CrashedBoot);
        mark.Begin();
        mark.End(shutDown);
        Assert.Null(Opened().CrashedBoot);
        var next = Opened(Bench.NextBoot);
        Assert.Equal(shutDown ? null : Bench.Boot, next.CrashedBoot);
        next.Begin();
        Assert.Null(Opened(Bench.NextBoot).CrashedBoot);
    }

    [Fact]
    public void Bar_ThreeUncleanEnds_ObservesOnlyUntilACleanOne()
    {
        for (var i = 0; i < CrashLoop.MaxEnds; i++)
        {
            var killed = Opened();
            Assert.Null(killed.BarredUntil);
            killed.Begin();
            bench.Time.Skip(TimeSpan.FromSeconds(10));
        }
        var fourth = Opened();
        Assert.Equal(Reason.CrashLoop, fourth.Bar(bench.Now));
        Assert.Equal(1, bench.Said.Count("ended uncleanly"));
        fourth.Begin();
        fourth.End(shutDown: false);
        Assert.Null(Opened().BarredUntil);
    }

    [Fact]
    public void Bar_PauseOver_ActsAgainAndTheNextPauseIsLonger()
    {
        for (var i = 0; i < CrashLoop.MaxEnds; i++)
            Opened().Begin();
        var barred = Opened();
        barred.Begin();
        var first = barred.BarredUntil!.Value.Since(bench.Now);
        bench.Time.Skip(first - TimeSpan.FromSeconds(1));
        Assert.Equal(Reason.CrashLoop, barred.Bar(bench.Now));
        bench.Time.Skip(TimeSpan.FromSeconds(1));
        Assert.Null(barred.Bar(bench.Now));
        Assert.Null(barred.BarredUntil);
        Assert.Equal(1, bench.Said.Count("acts again"));
        for (var i = 0; i < CrashLoop.MaxEnds - 1; i++)
            Opened().Begin();
        bench.Time.Skip(TimeSpan.FromSeconds(1));
        Opened().Begin();
        Assert.True(Opened().BarredUntil!.Value.Since(bench.Now) > first);
    }

    [Theory]
    [InlineData("oom-kill", "killed", "KILL", false)]
    [InlineData("signal", "killed", "KILL", false)]
    [InlineData("signal", "killed", "SEGV", true)]
    [InlineData("core-dump", "dumped", "ABRT", true)]
    [InlineData("watchdog", "killed", "ABRT", true)]
    [InlineData("exit-code", "exited", "1", true)]
    [InlineData(null, null, null, true)]
    public void Bar_KilledAgainAndAgain_CountsOnlyWhatTheDaemonDidItself(string? result, string? code, string? status, bool counts)
    {
        for (var i = 0; i < 5; i++)
        {
            Opened().Begin();
            // What ExecStopPost= writes.
            var end = RunEnd.IsFromOutside(result, code, status) ? RunEnd.FromOutside : RunEnd.Own;
            Assert.True(new StateFile(bench.Root, HostBook.EndPath).Write(end).IsOk);
        }
        Assert.Equal(counts, Opened().BarredUntil is not null);
    }

    [Fact]
    public void Bar_KilledOnceAndThenEndedByItself_TheKillVouchesForNoOther()
    {
        Opened().Begin();
        Assert.True(new StateFile(bench.Root, HostBook.EndPath).Write(RunEnd.FromOutside).IsOk);
        for (var i = 0; i < CrashLoop.MaxEnds; i++)
            Opened().Begin();
        Assert.NotNull(Opened().BarredUntil);
    }

    [Fact]
    public void Bar_UncleanEndsLongAgo_None()
    {
        for (var i = 0; i < CrashLoop.MaxEnds; i++)
            Opened().Begin();
        bench.Time.Skip(CrashLoop.Window);
        Assert.Null(Opened().BarredUntil);
    }

    [Fact]
    public void Bar_UncleanEndsOfAnotherBoot_None()
    {
        for (var i = 0; i < CrashLoop.MaxEnds; i++)
            Opened().Begin();
        Assert.Null(Opened(Bench.NextBoot).BarredUntil);
    }

    [Fact]
    public void Open_DamagedMark_ToldAndNotAShutdown()
    {
        var mark = Opened();
        mark.Begin();
        mark.End(shutDown: true);
        var bytes = File.ReadAllBytes(MarkFile);
        bytes[^2] ^= 1;
        File.WriteAllBytes(MarkFile, bytes);
        Assert.Empty(Opened(Bench.NextBoot).CleanBoots);
        Assert.Equal(1, bench.Said.Count("is damaged: the last boot does not count as shut down"));
    }

    [Fact]
    public void Open_NoMark_SaysNothing()
    {
        Assert.Empty(Opened().CleanBoots);
        Assert.Equal("", bench.Said.Text);
    }

    [Fact]
    public void End_NeverBegun_WritesNothing()
    {
        // The journal has not learned yet from the mark before, which stays.
        Opened().End(shutDown: true);
        Assert.False(File.Exists(MarkFile));
    }

    [Fact]
    public void Begin_NotWritable_WrittenLaterOrAtTheEnd()
    {
        foreach (var retried in new[] { true, false })
        {
            var mark = Opened();
            bench.BreakState();
            mark.Begin();
            mark.Begin();
            bench.MendState();
            if (retried)
                mark.Begin();
            Assert.Equal(retried, File.Exists(MarkFile));
            mark.End(shutDown: true);
            Assert.Equal([Bench.Boot], Opened(Bench.NextBoot).CleanBoots);
            File.Delete(MarkFile);
        }
        Assert.Equal(2, bench.Said.Count("cannot be written"));
    }
}
