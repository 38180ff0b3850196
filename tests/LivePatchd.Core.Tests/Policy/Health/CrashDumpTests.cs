// pstore's files: parts in the wrong order, several crashes in one directory, a console's record, and what programs may have put there.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Tests.Policy.Health;

public sealed class CrashDumpTests
{
    private static readonly DateTimeOffset At = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly PatchName Patch = PatchName.Parse("lp_a");

    private const string Head = "<0>[   61.123456] Kernel panic - not syncing: Fatal exception\n<4>[   61.123460] Call Trace:\n<4>[   61.123461]  <TASK>\n";
    private const string Frame = "<4>[   61.123470]  lp_a_init+0x12/0x20 [lp_a]\n<0>[   61.123480] Kernel Offset: 0x0\n";

    private static CrashFile File(string text, string name = "dmesg-erst-7000000000000000001", int second = 0) => new(name, At.AddSeconds(second), text);

    [Fact]
    public void Read_OneFile_NamesTheModuleOfItsFrames()
    {
        var dump = Assert.Single(CrashDump.Read([File("Panic#1 Part1\n" + Head + Frame)]));
        Assert.Equal((At, "Kernel panic - not syncing: Fatal exception"), (dump.WrittenAt, dump.Headline));
        Assert.True(dump.Names(Patch));
        Assert.False(dump.Names(PatchName.Parse("lp_b")));
    }

    [Fact]
    public void Read_PartsInAnyOrder_OneDump()
    {
        CrashFile[] files = [File("Panic#1 Part1\n" + Frame, "dmesg-efi-1", 1), File("Panic#1 Part2\n" + Head, "dmesg-efi-2")];
        foreach (var order in new[] { files, [files[1], files[0]] })
        {
            var dump = Assert.Single(CrashDump.Read(order));
            Assert.Equal(At, dump.WrittenAt);
            Assert.True(dump.Names(Patch));
        }
    }

    [Theory]
    [InlineData("Panic#1 Part1", "Panic#1 Part1", 0)] // the same part twice
    [InlineData("Panic#1 Part1", "Panic#1 Part2", 3600)]
    [InlineData("Panic#1 Part1", "Oops#1 Part2", 0)]
    public void Read_TwoCrashes_TwoDumps(string one, string other, int apart)
    {
        var dumps = CrashDump.Read([File($"{one}\n" + Head + Frame, "dmesg-efi-1"), File($"{other}\n" + Head, "dmesg-efi-2", apart)]);
        Assert.Equal(2, dumps.Length);
        Assert.Single(dumps, d => d.Names(Patch));
    }

    [Theory]
    [InlineData("[   61.1] Kernel panic - not syncing: x\r\n[   61.1] Call Trace:\r\n[   61.1]  a+0x1/0x2 [lp_a]\r\n")]
    [InlineData("[   61.1][    T1] Kernel panic - not syncing: x\n[   61.1][    T1] Call Trace:\n[   61.1][    T1]  a+0x1/0x2 [lp_a]\n")]
    [InlineData("Kernel panic - not syncing: x\nCall Trace:\n a+0x1/0x2 [lp_a]\n")]
    public void Read_ConsoleRecord_IsADumpWhereItReportsTrouble(string text)
    {
        Assert.True(Assert.Single(CrashDump.Read([File(text, "console-ramoops-0")])).Names(Patch));
        Assert.Empty(CrashDump.Read([File("[    1.0] Linux version 6.12\n[    2.0] lp_a: loaded\n", "console-ramoops-0")]));
    }

    [Theory]
    [InlineData("pmsg-ramoops-0")] // what programs wrote
    [InlineData("dmesg-erst-1.enc.z")] // what could not be unpacked
    [InlineData("ftrace-ramoops")]
    [InlineData("dmesg.txt")]
    public void Read_OtherFiles_AreNoDumps(string name) => Assert.Empty(CrashDump.Read([File("Panic#1 Part1\n" + Head + Frame, name)]));

    [Theory]
    [InlineData("<12>[   61.1] Kernel panic - not syncing: x\n<12>[   61.1] Call Trace:\n<12>[   61.1]  a+0x1/0x2 [lp_a]\n")] // through /dev/kmsg
    [InlineData("<4>[   61.1] lp_a: loaded\n<4>[   61.1]  a+0x1/0x2 [lp_a]\n")]
    [InlineData("<4>[   61.1] Kernel panic - not syncing: x\n")]
    [InlineData("<4>[   61.1] Kernel panic - not syncing: x\n<4>[   61.1] Call Trace:\n<4>[   61.1] CPU: 0 PID: 9 Comm: a+0x1/0x2 [lp_a] Tainted: G\n")]
    [InlineData("")]
    [InlineData("<")]
    [InlineData("<99999999999>[1e9999] x")]
    public void Read_WithoutTheKernelsOwnReport_NamesNobody(string text) => Assert.DoesNotContain(CrashDump.Read([File("Panic#1 Part1\n" + text)]), d => d.Names(Patch));

    [Theory]
    [InlineData("Panic#1 Part1")]
    [InlineData("Panic#1 Part99999999999")]
    [InlineData("Panic#1 Part")]
    [InlineData("Part1")]
    [InlineData("")]
    public void Read_OddHeads_AreRead(string head) => Assert.True(Assert.Single(CrashDump.Read([File(head + "\n" + Head + Frame)])).Names(Patch));
}
