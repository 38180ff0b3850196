// Modules that the kernel keeps out for a patch's sake: believed from its log, for as long as sysfs agrees.
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class TargetRefusalBookTests : IDisposable
{
    private readonly Bench bench = new();
    private readonly TargetRefusalBook book;

    public TargetRefusalBookTests() => book = new TargetRefusalBook(bench.Log);

    public void Dispose() => bench.Dispose();

    private static KernelLogRecord Line(string module = "veth", int facility = 0, string patch = "lp_one") =>
        new(3, facility, 1, TimeSpan.Zero, $"livepatch: patch '{patch}' failed for module '{module}', refusing to load module '{module}'");

    private static ObservedState Patched(bool? applied, params string[] modules) => Given.Seen(
        Given.Loaded(KernelPatchState.Active, Given.One, [.. modules.Select(m => new LivepatchObject(m, applied, []))]));

    [Fact]
    public void Take_KernelsLine_StandsAndIsLoggedOnce()
    {
        Assert.True(book.Take(Line()));
        var standing = book.Standing(Patched(false, "veth"));
        Assert.Equal("kept out: module veth", standing[Given.One]);
        Assert.Equal(standing, book.Standing(Patched(false, "veth")));
        Assert.Equal(1, bench.Said.Count("keeps module veth out"));
    }

    [Fact]
    public void Take_ProgramsLine_Ignored()
    {
        Assert.False(book.Take(Line(facility: 1)));
        Assert.Empty(book.Standing(Patched(false, "veth")));
    }

    [Fact]
    public void Take_OtherLine_Ignored() => Assert.False(book.Take(new KernelLogRecord(6, 0, 1, TimeSpan.Zero, "livepatch: enabling patch 'lp_one'")));

    [Fact]
    public void Standing_ModuleLoadedAfterAll_Forgotten()
    {
        book.Take(Line());
        Assert.NotEmpty(book.Standing(Patched(false, "veth")));
        Assert.Empty(book.Standing(Patched(true, "veth")));
        Assert.Empty(book.Standing(Patched(false, "veth")));
    }

    [Fact]
    public void Standing_PatchGone_Forgotten()
    {
        book.Take(Line());
        Assert.Empty(book.Standing(Given.Seen()));
        Assert.Empty(book.Standing(Patched(false, "veth")));
    }

    [Fact]
    public void Standing_NotAnObjectOfThePatch_Forgotten()
    {
        book.Take(Line());
        Assert.Empty(book.Standing(Patched(false, "bridge")));
    }

    [Fact]
    public void Standing_SeveralModules_InOrder()
    {
        book.Take(Line("veth"));
        book.Take(Line("bridge"));
        Assert.Equal("kept out: module bridge, veth", book.Standing(Patched(false, "veth", "bridge"))[Given.One]);
    }

    [Fact]
    public void Take_MoreThanIsKept_Bounded()
    {
        var modules = Enumerable.Range(0, 100).Select(i => $"m{i:00}").ToArray();
        foreach (var module in modules)
            Assert.True(book.Take(Line(module)));
        Assert.Equal(64, book.Standing(Patched(false, modules))[Given.One].Split(", ").Length);
    }
}
