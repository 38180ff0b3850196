// The kernel's log cut into reports: where one begins and ends, how grave it is, and whom it names.
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Tests.Policy.Health;

public sealed class KernelReportsTests
{
    private static readonly PatchName X = PatchName.Parse("lp_x");

    private static IEnumerable<KernelLogRecord> Log(params string[] lines) =>
        lines.Select((l, i) => KernelLineTests.Line(4, l, (ulong)i + 1, 10 + i * 0.001));

    [Fact]
    public void A_report_goes_to_its_end_mark()
    {
        var reports = KernelReports.Find(Log(
            "------------[ cut here ]------------",
            "WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2",
            "Modules linked in: lp_x(OEK) other(E)",
            " f+0x1/0x2",
            "---[ end trace 0000000000000000 ]---",
            "something else [lp_x]",
            "WARNING: CPU: 0 PID: 1 at kernel/y.c:1 g+0x1/0x2 [lp_x]"));
        Assert.Equal([2UL, 7UL], reports.Select(r => r.Sequence));
        Assert.Equal(4, reports[0].Lines.Length);
        // Every report lists the loaded modules: that is no accusation.
        Assert.Equal([false, true], reports.Select(r => r.Names(X)));
    }

    [Fact]
    public void An_oops_of_several_lines_is_one_report_of_the_gravest_kind()
    {
        var report = Assert.Single(KernelReports.Find(Log(
            "WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2",
            "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [a:1]",
            "BUG: kernel NULL pointer dereference, address: 0000000000000000",
            "Oops: 0002 [#1] SMP",
            "RIP: 0010:lp_write+0x10/0x20 [lp_x]")));
        Assert.Equal(Reason.KernelOops, report.Kind);
        Assert.True(report.Names(X));
        Assert.Equal(Reason.KernelLockup, Assert.Single(KernelReports.Find(Log("WARNING: suspicious RCU usage", "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [a:1]"))).Kind);
        Assert.Equal(Reason.KernelLockup, Assert.Single(KernelReports.Find(Log("watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [a:1]", "WARNING: suspicious RCU usage"))).Kind);
        Assert.Equal(Reason.KernelWarning, Assert.Single(KernelReports.Find(Log("WARNING: suspicious RCU usage", "WARNING: suspicious RCU usage"))).Kind);
    }

    [Fact]
    public void A_pause_or_too_many_lines_end_a_report_and_programs_write_into_none()
    {
        KernelLogRecord[] paused =
        [
            KernelLineTests.Line(4, "WARNING: suspicious RCU usage", 1, 10),
            KernelLineTests.Line(4, "frame+0x1 [lp_x]", 2, 10.1) with { Facility = 3 },
            KernelLineTests.Line(4, "frame+0x1 [lp_x]", 3, 12),
        ];
        Assert.False(Assert.Single(KernelReports.Find(paused)).Names(X));
        var endless = Enumerable.Range(0, 400).Select(i => KernelLineTests.Line(4, i == 0 ? "WARNING: suspicious RCU usage" : i == 399 ? "f [lp_x]" : "f", (ulong)i, 10));
        var report = Assert.Single(KernelReports.Find(endless));
        Assert.Equal(256, report.Lines.Length);
        Assert.False(report.Names(X));
    }

    [Theory]
    [InlineData("RIP: 0010:lp_write+0x10/0x20 [lp_x]", true)]
    [InlineData("RIP: 0010:lp_write+0x10/0x20 [lp_x 0123456789abcdef]", true)]
    [InlineData("WARNING: CPU: 0 PID: 1 at lp_x.c:12 f+0x1/0x2", true)]
    [InlineData("WARNING: CPU: 0 PID: 1 at /build/lp-x.c:12 f+0x1/0x2", true)]
    [InlineData("WARNING: CPU: 0 PID: 1 at /build/help_x.c:12 f+0x1/0x2", false)]
    [InlineData("WARNING: CPU: 0 PID: 1 at xlp_x.c:1 or lp_x.c:12", false)]
    [InlineData("WARNING: CPU: 0 PID: 1 at 1lp_x.c:1", false)]
    [InlineData("WARNING: lp_x.c:12 at f+0x1/0x2 [other], CPU#1: bash/5", true)]
    [InlineData("WARNING: kernel/x.c:12 at f+0x1/0x2 [lp_x], CPU#1: bash/5", true)]
    [InlineData("kernel BUG at /build/lp_x.c:99!", true)]
    [InlineData("pc : lp_write+0x10/0x20 [lp_x]", true)]
    [InlineData(" ? lp_write+0x10/0x20 [lp_x]", true)]
    [InlineData(" lp_write+0x10/0x20 [lp_x] (P)", true)]
    [InlineData("BUG: KASAN: slab-out-of-bounds in lp_write+0x10/0x20 [lp_x]", true)]
    // What a task calls itself, in the middle of the kernel's report of something else.
    [InlineData("CPU: 0 UID: 1000 PID: 77 Comm: [lp_x] Tainted: G           OE K", false)]
    [InlineData("CPU: 0 UID: 1000 PID: 77 Comm: a+0x1/0x2[lp_x] Tainted: G           OE K", false)]
    [InlineData("CPU: 0 UID: 1000 PID: 77 Comm: lp_x.c:1 Tainted: G           OE K", false)]
    [InlineData("task:[lp_x]          state:D stack:0     pid:77    tgid:77    ppid:1", false)]
    [InlineData("INFO: task [lp_x]:77 blocked for more than 120 seconds.", false)]
    [InlineData("watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [[lp_x]:77]", false)]
    [InlineData("a+0x1/0x2 [lp_x](77): Attempt to set a LOCK_MAND lock via flock(2).", false)]
    [InlineData("a+0x1/0x2 [lp_x] invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0", false)]
    [InlineData("RIP: 0010:lp_write+0x10/0x20 [lp_xy]", false)]
    [InlineData("Modules linked in: lp_x(OEK) [last unloaded: lp_x(OEK)]", false)]
    public void Names_are_those_of_frames_and_files(string line, bool named) =>
        Assert.Equal(named, new KernelReport(Reason.KernelWarning, 1, TimeSpan.Zero, ["first", line]).Names(X));
}
