// What reaches the loop from outside: marks and journals of other boots, what others do to the kernel, and a kernel that ends a thread.
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class ReconcilerHearingTests : IDisposable
{
    private static readonly Patch One = new("lp_one");

    private readonly LoopBench loop = new();

    public void Dispose() => loop.Dispose();

    /// <summary>As a boot leaves it that went down while the patch was on probation.</summary>
    private void EarlierBoot(bool shutDown)
    {
        using (var log = new AppendLog(loop.Bench.Root, JournalBook.Path))
        {
            var intent = Given.Record(RecordKind.LoadIntent, digest: Sha256.TryParse(One.Digest)!.Value) with { BootId = Bench.NextBoot };
            Assert.True(log.Replace([.. System.Text.Encoding.ASCII.GetBytes(JournalCodec.VersionLine), .. JournalCodec.Encode(intent)]).IsOk);
        }
        var mark = new HostBook(new StateFile(loop.Bench.Root, HostBook.Path), new StateFile(loop.Bench.Root, HostBook.EndPath), loop.Bench.Log);
        mark.Open(Bench.NextBoot, loop.Bench.Now);
        mark.Begin();
        mark.End(shutDown);
    }

    [Fact]
    public async Task Start_HostWentDownWithThePatchOnProbation_Suspected()
    {
        EarlierBoot(shutDown: false);
        loop.Drop(One);
        await loop.Start();
        await loop.Until(() => loop.Reason("lp_one") == Reason.Suspected);
        Assert.Empty(loop.Kernel.Calls);
        Assert.Equal(1, loop.Bench.Said.Count("lp_one: suspected: loaded at"));
    }

    [Fact]
    public async Task Start_KernelsRecordOfTheCrashNamesThePatch_Quarantined()
    {
        EarlierBoot(shutDown: false);
        loop.Bench.Files.Write("/sys/fs/pstore/dmesg-erst-1", "Panic#1 Part1\n<0>[    9.1] Kernel panic - not syncing: Fatal exception\n<4>[    9.1] Call Trace:\n<4>[    9.1]  lp_one_init+0x1/0x2 [lp_one]\n");
        loop.Drop(One);
        await loop.Start();
        await loop.Until(() => loop.Reason("lp_one") == Reason.HostCrashed);
        Assert.Empty(loop.Kernel.Calls);
        Assert.Equal(1, loop.Bench.Said.Count("lp_one: quarantined: loaded at"));
    }

    [Fact]
    public async Task Start_HostWasShutDown_LoadedAgain()
    {
        EarlierBoot(shutDown: true);
        loop.Drop(One);
        await loop.Start();
        await loop.Until(() => loop.State("lp_one") == "Active");
    }

    [Fact]
    public async Task Start_Mark_ReplacedOnceTheJournalHasLearned()
    {
        EarlierBoot(shutDown: true);
        await loop.Start();
        await loop.Until(() => HostMark.Decode(File.ReadAllBytes(loop.Bench.Files.Path(HostBook.Path))) is { BootId: Bench.Boot, ShutDown: false });
    }

    [Fact]
    public async Task Run_PatchTakenOutByOthers_NoticedWithoutAKernelLog()
    {
        await loop.Start();
        loop.Drop(One);
        await loop.Until(() => loop.State("lp_one") == "Active");
        loop.Kernel.DisableByHand("lp_one");
        loop.Time.Skip(TimeSpan.FromSeconds(2));
        await loop.Until(() => loop.Reason("lp_one") == Reason.DisabledByHand);
        Assert.Equal(1, loop.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task Run_KernelEndsTheThread_ToldAndOthersHaveTheirTurn()
    {
        await loop.Start();
        loop.Kernel.Dies = DyingThread.End;
        loop.Drop(One);
        await loop.Until(() => loop.Kernel.Calls.Count == 1);
        loop.Kernel.Dies = null;
        loop.Loop!.LookAgain();
        await loop.Until(() =>
        {
            loop.Loop!.LookAgain();
            return loop.Bench.Said.Count("the kernel ended the thread inside load") == 1;
        });
        loop.Drop(new Patch("lp_two"));
        await loop.Until(() => loop.State("lp_two") == "Active");
        Assert.Equal(1, loop.Kernel.LoadsOf("lp_one"));
    }
}
