// The operator's hold: in force once it is on disk, over restarts and boots, and never lost by a file that cannot be read.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class HoldBookTests : IDisposable
{
    private readonly Bench bench = new();

    private string HoldFile => bench.Files.Path(HoldBook.Path);

    public void Dispose() => bench.Dispose();

    private HoldBook Opened(string boot = Bench.Boot)
    {
        var book = new HoldBook(new StateFile(bench.Root, HoldBook.Path), bench.Log);
        book.Open(boot, bench.Now);
        return book;
    }

    private StandingHold ForAnHour(string why = "release") => new(why, 1000, bench.Now, bench.Now.After(TimeSpan.FromHours(1)));

    [Fact]
    public void Open_NoFile_NoHold()
    {
        Assert.Null(Opened().Hold);
        Assert.Equal("", bench.Said.Text);
    }

    [Fact]
    public void Set_Written_InForceAfterARestart()
    {
        var book = Opened();
        Assert.True(book.Set(ForAnHour()).IsOk);
        Assert.Equal("release", book.Hold!.Why);
        var again = Opened().Hold!;
        Assert.Equal(("release", 1000u, book.Hold.Until), (again.Why, again.Uid, again.Until));
    }

    [Fact]
    public void Set_NotWritten_NotInForce()
    {
        var book = Opened();
        bench.BreakState();
        Assert.False(book.Set(ForAnHour()).IsOk);
        Assert.Null(book.Hold);
    }

    [Fact]
    public void Set_NotWritten_TheOneBeforeStays()
    {
        var book = Opened();
        Assert.True(book.Set(ForAnHour("first")).IsOk);
        bench.BreakState();
        Assert.False(book.Set(ForAnHour("second")).IsOk);
        Assert.Equal("first", book.Hold!.Why);
    }

    [Fact]
    public void Open_AnotherBoot_EndsByTheWallClock()
    {
        Assert.True(Opened().Set(ForAnHour()).IsOk);
        bench.Time.Skip(TimeSpan.FromMinutes(50));
        var book = Opened(Bench.NextBoot);
        Assert.Equal(TimeSpan.FromMinutes(10), book.Hold!.Until!.Value.Since(bench.Now));
    }

    [Fact]
    public void Expire_AtItsEnd_GoneFromDiskToo()
    {
        var book = Opened();
        book.Set(ForAnHour());
        book.Expire(bench.Now.After(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1)));
        Assert.NotNull(book.Hold);
        book.Expire(bench.Now.After(TimeSpan.FromHours(1)));
        Assert.Null(book.Hold);
        Assert.False(File.Exists(HoldFile));
    }

    [Fact]
    public void Expire_WithoutAnEnd_Never()
    {
        var book = Opened();
        book.Set(ForAnHour() with { Until = null });
        book.Expire(bench.Now.After(TimeSpan.FromDays(1000)));
        Assert.NotNull(book.Hold);
    }

    [Fact]
    public void Release_Held_GoneAndNotThereAfterARestart()
    {
        var book = Opened();
        book.Set(ForAnHour());
        Assert.True(book.Release().IsOk);
        Assert.Null(book.Hold);
        Assert.Null(Opened().Hold);
    }

    [Fact]
    public void Release_FileStays_HoldStays()
    {
        var book = Opened();
        book.Set(ForAnHour());
        bench.BreakState();
        Assert.False(book.Release().IsOk);
        Assert.NotNull(book.Hold);
    }

    [Fact]
    public void Release_NothingHeld_IsSuccess()
    {
        bench.Files.MakeDirectory("/var/lib/livepatchd/state");
        Assert.True(Opened().Release().IsOk);
        Assert.Equal("", bench.Said.Text);
    }

    [Fact]
    public void Open_DamagedFile_CountsAsAHoldUntilReleased()
    {
        Opened().Set(ForAnHour());
        var bytes = File.ReadAllBytes(HoldFile);
        bytes[^2] ^= 1;
        File.WriteAllBytes(HoldFile, bytes);
        var book = Opened();
        Assert.Null(book.Hold!.Until);
        Assert.Contains("is damaged", book.Hold.Why, StringComparison.Ordinal);
        book.Expire(bench.Now.After(TimeSpan.FromDays(1)));
        Assert.NotNull(book.Hold);
        Assert.True(book.Release().IsOk);
        Assert.Null(Opened().Hold);
    }

    [Fact]
    public void Expire_FileReadableAgain_WhatItSaysCounts()
    {
        Opened().Set(ForAnHour());
        bench.BreakState();
        var book = Opened();
        Assert.Contains("cannot be read", book.Hold!.Why, StringComparison.Ordinal);
        book.Expire(bench.Now);
        Assert.Contains("cannot be read", book.Hold!.Why, StringComparison.Ordinal);
        bench.MendState();
        book.Expire(bench.Now);
        Assert.Equal("release", book.Hold!.Why);
    }

    [Fact]
    public void Expire_UnreadableFileTurnsOutAbsent_NoHold()
    {
        bench.BreakState();
        var book = Opened();
        Assert.NotNull(book.Hold);
        bench.MendState();
        book.Expire(bench.Now);
        Assert.Null(book.Hold);
    }

    [Fact]
    public void Set_AfterAnUnreadableStart_ToldOnce()
    {
        bench.BreakState();
        var book = Opened();
        bench.MendState();
        Assert.True(book.Set(ForAnHour()).IsOk);
        book.Expire(bench.Now);
        Assert.Equal("release", book.Hold!.Why);
        Assert.Equal(1, bench.Said.Count("Held by uid 1000"));
    }
}
