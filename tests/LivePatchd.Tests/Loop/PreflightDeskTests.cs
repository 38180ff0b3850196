// What is foreseen of loads: read again while somebody is held by what only another reading can lift, and not otherwise.
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Linux.Preflight;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class PreflightDeskTests : IDisposable
{
    private static readonly PatchModule Needy = Given.File().Module with { Info = Given.File().Module.Info with { Depends = ["veth"] } };
    private static readonly KernelFacts CannotLoad = Given.Kernel with { CanLoadModules = false };

    private readonly Bench bench = new();
    private readonly PreflightReader reader;
    private readonly PreflightDesk desk;

    public PreflightDeskTests()
    {
        reader = new PreflightReader(bench.Root);
        desk = new PreflightDesk(reader, bench.Clock);
    }

    public void Dispose() => bench.Dispose();

    private void Look(Reason? hold) => desk.Look(new Plan([], hold is { } reason ? [new Hold(Given.One, reason, null)] : [], [], null));

    [Fact]
    public void Check_DependencyMissing_ForeseenUntilItIsLoaded()
    {
        var input = Given.Input(Given.Seen());
        var (facts, foresight) = desk.Check(Needy, input);
        Assert.Equal(Reason.DependencyNotLoaded, foresight.Reason);
        Assert.Equal(bench.Now, facts.ReadAt);
        bench.Files.Write("/sys/module/veth/initstate", "live\n");
        Assert.Null(desk.Check(Needy, input).Foresight.Reason);
    }

    [Theory]
    [InlineData(Reason.DependencyNotLoaded)]
    [InlineData(Reason.FtraceConflict)]
    [InlineData(Reason.MemoryLow)]
    [InlineData(Reason.DiskSpaceLow)]
    public void NextWork_HeldByWhatWasForeseen_ReadAgainAfterAWhile(Reason hold)
    {
        desk.Take(desk.Read([Needy]));
        Look(hold);
        Assert.Null(desk.NextWork([Needy], CannotLoad));
        bench.Time.Skip(TimeSpan.FromSeconds(14));
        var work = desk.NextWork([Needy], CannotLoad);
        Assert.NotNull(work);
        var surveyed = Assert.IsType<WorkResult.Surveyed>(work());
        Assert.Equal(bench.Now, surveyed.Facts!.ReadAt);
        desk.Take(surveyed.Facts);
        Assert.Null(desk.NextWork([Needy], CannotLoad));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Reason.LoadTooHigh)]
    public void NextWork_NobodyWaitsForAReading_Nothing(Reason? hold)
    {
        desk.Take(desk.Read([Needy]));
        Look(hold);
        bench.Time.Skip(TimeSpan.FromDays(1));
        Assert.Null(desk.NextWork([Needy], CannotLoad));
    }

    [Fact]
    public void NextWork_KernelThatCanLoad_SymbolsAreMadeReadyOnce()
    {
        bench.Files.Write("/proc/kallsyms", "ffffffff81000000 T _stext\n");
        var work = desk.NextWork([], Given.Kernel);
        Assert.NotNull(work);
        Assert.Null(Assert.IsType<WorkResult.Surveyed>(work()).Facts);
        Assert.True(reader.IsPrepared);
        Assert.Null(desk.NextWork([], Given.Kernel));
    }

    [Fact]
    public void NextWork_KernelWithoutLivepatch_NothingIsMadeReady() =>
        Assert.Null(desk.NextWork([], Given.Kernel with { LivepatchPresent = false }));

    [Fact]
    public void TakeOne_FactsOfOnePatch_OthersStay()
    {
        var other = Given.File(Given.Two, Given.OtherDigest).Module;
        desk.Take(desk.Read([Needy, other]));
        bench.Time.Skip(TimeSpan.FromSeconds(1));
        desk.TakeOne(desk.Read([Needy]));
        Assert.True(desk.Facts.Covers(Given.Digest));
        Assert.True(desk.Facts.Covers(Given.OtherDigest));
        Assert.Equal(bench.Now, desk.Facts.ReadAt);
        desk.Take(desk.Read([Needy]));
        Assert.False(desk.Facts.Covers(Given.OtherDigest));
    }
}
