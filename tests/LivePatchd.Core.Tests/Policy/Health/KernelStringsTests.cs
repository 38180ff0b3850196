// Lines of the kernel that begin with a name, and every name that a program might choose for itself: none of them is a report.
using System.Text.RegularExpressions;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Tests.Policy.Health;

public sealed partial class KernelStringsTests
{
    /// <summary>As much of a report as fits into a task's name; in this order they would be one.</summary>
    private static readonly string[] Names =
    [
        "BUG: ", "BUG: x", "BUG: unable to handle", "BUG: kernel NULL", "BUG: KASAN: a i", "BUG: KASAN: x in a+0x1/0x2", "BUG: spinlock a o", "BUG: Bad page st",
        "BUG: soft locku", "BUG: workqueue lockup", "Oops: 0000 [#1]", "Oops[#1]", "Oops: x", "kernel BUG at a", "kernel BUG at a:1!", "Internal error:", "Unable to handle kernel",
        "general protection", "invalid opcode:", "divide error: 0", "double fault: 0", "int3: 0000 [#1]", "Kernel panic - not", "stack segment: ",
        "WARNING: ", "WARNING: CPU: 1", "WARNING: CPU: 1 PID: 1 at a", "WARNING: a:1 at", "WARNING: lp_a.c:1 at", "WARNING: possible", "WARNING: suspicious RCU",
        "WARNING: held l", "INFO: task a:1 ", "INFO: task a", "INFO: rcu_sched", "INFO: rcu stall", "rcu: INFO: rcu a", "watchdog: BUG: ", "watchdog: CPU1: ",
        "Modules linked in:", "CPU: 0 PID: 1", "Call Trace:", "<TASK>", "RIP: 0010:a+0x1", "RIP: 0010:a+0x1/0x2 [lp_a]", "pc : a+0x1/0x2", "a+0x1/0x1[lp_a]", "a+0x1/0x [lp_a]",
        "+0x1/0x2 [lp_a]", " a+0x1/0[lp_a]", "[lp_a]", "lp_a.c:1", "---[ end trace ", "------------[ cut here ]------------", "\\x0aBUG: x",
    ];

    private static readonly string[] Formats = Read();

    private static string[] Read()
    {
        using var text = new StreamReader(typeof(KernelStringsTests).Assembly.GetManifestResourceStream("kernel-lines")!);
        return text.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [GeneratedRegex(@"%[-#0-9.*hlzjL]*(p[a-zA-Z]*|[a-zA-Z])")]
    private static partial Regex Conversion();

    /// <summary>The name comes first; what follows is the kernel's.</summary>
    private static string Line(string format, string name) => name[..Math.Min(name.Length, 15)] + Conversion().Replace(format["%s".Length..], "1");

    private static HealthInput Log(HealthSample sample, IEnumerable<string> lines) =>
        new(sample with { LogSequence = 9000 }) { Lines = [.. lines.Select((l, i) => KernelLineTests.Line(3, l, 200 + (ulong)i, 45))] };

    [Fact]
    public void Formats_OfAWholeKernel_AreThere()
    {
        Assert.InRange(Formats.Length, 300, 400);
        Assert.All(Formats, f => Assert.StartsWith("%s", f, StringComparison.Ordinal));
        Assert.Equal("BUG: (1): Attempt", Line(Formats.Single(f => f.Contains("LOCK_MAND", StringComparison.Ordinal)), "BUG: ")[..17]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Learn_LinesBehindEveryHostileName_NothingIsHeldAgainstAnybody(bool counts)
    {
        var sample = counts ? ProbationTests.Calm : ProbationTests.Calm with { OopsCount = null, WarnCount = null };
        var ledger = ProbationTests.Both(sample);
        foreach (var format in Formats)
            Assert.True(ProbationTests.Learn(Log(sample, Names.Select(n => Line(format, n))), ledger).IsEmpty, format);
        // A name of one line may be followed by another's.
        foreach (var name in Names)
            Assert.True(ProbationTests.Learn(Log(sample, Formats.Select(f => Line(f, name))), ledger).IsEmpty, name);
    }

    [Fact]
    public void Learn_HostileNamesWhileTheKernelReallyWarned_TheyDoNotChooseThePatch()
    {
        foreach (var format in Formats)
        {
            var record = Assert.Single(ProbationTests.Learn(Log(ProbationTests.Calm with { WarnCount = 6 }, ["WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2", "Call Trace:", .. Names.Select(n => Line(format, n))])));
            Assert.True(record.Name == ProbationTests.B && record.Reason is Reason.KernelWarning, $"{format}: {record.Name} {record.Reason}");
        }
    }
}
