// What a kernel would print for any values at all is read back as those values.
using System.Globalization;
using System.Text;
using CsCheck;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.Core.Tests.Parsing;

public sealed class ReadBackTests
{
    private static readonly Gen<string> Symbol = Gen.String[Gen.Char["abcdefghijklmnopqrstuvwxyzABC019_."], 1, 60];

    private static readonly string[] Columns = ["OutSegs", "RetransSegs", "InSegs", "MaxConn", "RtoMin"];

    private static readonly Gen<byte[]> AnyName = Gen.Byte[1, 255].Array[0, 15];

    [Fact]
    public void Pressure() => Gen.Select(Gen.Int[0, 10_000].Array[6], Gen.Long[0, 1L << 50].Array[2], Gen.Bool).Sample((averages, totals, full) =>
    {
        string Line(string kind, int at) => string.Create(
            CultureInfo.InvariantCulture,
            $"{kind} avg10={averages[at] / 100m:0.00} avg60={averages[at + 1] / 100m:0.00} avg300={averages[at + 2] / 100m:0.00} total={totals[at / 3]}\n");
        PsiLine Expected(int at) => new(averages[at] / 10_000.0, averages[at + 1] / 10_000.0, averages[at + 2] / 10_000.0, TimeSpan.FromTicks(totals[at / 3] * 10));
        static bool Near(PsiLine a, PsiLine b) =>
            Math.Abs(a.Avg10Ratio - b.Avg10Ratio) < 1e-9 && Math.Abs(a.Avg60Ratio - b.Avg60Ratio) < 1e-9 && Math.Abs(a.Avg300Ratio - b.Avg300Ratio) < 1e-9 && a.Total == b.Total;

        var read = PsiParser.Parse(Bytes(Line("some", 0) + (full ? Line("full", 3) : "")))!.Value;
        Assert.True(Near(Expected(0), read.Some));
        Assert.Equal(full, read.Full is not null);
        Assert.True(read.Full is not { } line || Near(Expected(3), line));
    });

    [Fact]
    public void Kernel_log() => Gen.Select(Gen.Int[0, 191], Gen.ULong, Gen.Long[0, 1L << 45], AnyName, Gen.Bool).Sample((prefix, sequence, micros, message, dictionary) =>
    {
        // As the kernel escapes what does not print, and the backslash.
        var escaped = string.Concat(message.Select(static b => b is < 32 or >= 127 or (byte)'\\' ? $"\\x{b:x2}" : $"{(char)b}"));
        var read = KmsgParser.Parse(Bytes($"{prefix},{sequence},{micros},-;{escaped}\n{(dictionary ? " SUBSYSTEM=x\n" : "")}"))!;
        Assert.Equal((prefix & 7, prefix >> 3, sequence, TimeSpan.FromTicks(micros * 10)), (read.Priority, read.Facility, read.Sequence, read.Timestamp));
        var plain = message.Select(static b => b is (byte)'\n' or (byte)'\t' ? (byte)' ' : b).ToArray();
        Assert.Equal(Printable.Line(Encoding.UTF8.GetString(plain)), read.Message);
    });

    [Fact]
    public void Tasks() => Gen.Select(AnyName, Gen.Char["RSDTtZXIPW"], Gen.UInt, Gen.ULong).Sample((comm, state, flags, start) =>
    {
        var fields = $") {state} 1 7 7 0 -1 {flags} 1 2 3 4 5 6 7 8 20 0 1 0 {start} 9 9\n";
        Assert.Equal(
            new TaskStat(Printable.Line(Encoding.UTF8.GetString(comm), 64), state, (flags & 0x0020_0000) != 0, start),
            TaskStatParser.Parse([.. "7 ("u8, .. comm, .. Bytes(fields)]));
    });

    [Fact]
    public void Status() => Gen.Select(Gen.UInt, Gen.ULong).Sample((uid, caps) =>
    {
        var text = Bytes($"Name:\tCapEff:\nUid:\t{uid}\t0\t0\t0\nCapPrm:\t{~caps:x16}\nCapEff:\t{caps:x16}\n");
        Assert.Equal(uid, TaskStatParser.Uid(text));
        Assert.Equal(caps, ProcStatusCaps.Effective(text));
        Assert.Equal((caps >> 16 & 1) == 1, ProcStatusCaps.CanLoadModules(text));
    });

    [Fact]
    public void Stacks() => Gen.Select(Symbol, Symbol.Null(), Gen.UShort).Array[0, 64].Sample(frames =>
    {
        var text = string.Concat(frames.Select(static f => $"[<0>] {f.Item1}+0x{f.Item3:x}/0x10000{(f.Item2 is null ? "" : $" [{f.Item2}]")}\n"));
        Assert.Equal(frames.Select(static f => new StackFrame(f.Item1, f.Item2)), KernelStackParser.Parse(Bytes(text)));
    });

    [Fact]
    public void Units() => Gen.Select(Symbol, Symbol.Array[0, 5], Gen.Bool).Sample((unit, slices, user) =>
    {
        var path = string.Concat(slices.Select(static s => $"/s-{s}.slice"));
        var manager = user ? "/user@1000.service" : "";
        var expected = user ? $"user@1000.service/u-{unit}.service" : $"u-{unit}.service";
        Assert.Equal(expected, CgroupParser.Owner(Bytes($"0::{path}{manager}{path}/u-{unit}.service\n")));
    });

    [Fact]
    public void Segments() => Gen.Select(Gen.ULong, Gen.ULong, Gen.Shuffle(Columns)).Sample((sent, again, names) =>
    {
        var values = names.Select(n => n switch { "OutSegs" => $"{sent}", "RetransSegs" => $"{again}", "MaxConn" => "-1", _ => "7" });
        var text = $"Ip: OutSegs\nIp: 1\nTcp: {string.Join(' ', names)}\nTcp: {string.Join(' ', values)}\n";
        Assert.Equal(new TcpCounters(sent, again), SnmpParser.Tcp(Bytes(text)));
    });

    [Fact]
    public void Squeezes() => Gen.Select(Gen.UInt, Gen.UInt).Array[1, 64].Sample(rows =>
    {
        var text = string.Concat(rows.Select(static r => $"{r.Item1:x8} 00000000 {r.Item2:x8} 00000000 0000000a\n"));
        Assert.Equal((ulong)rows.Sum(static r => (long)r.Item2), SoftnetParser.TimeSqueezes(Bytes(text)));
    });

    [Fact]
    public void Interrupts() => Gen.Int[1, 20].SelectMany(static cpus => Gen.UInt.Array[cpus].Array[10]).Sample(rows =>
    {
        string[] kinds = ["HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU"];
        var text = new StringBuilder("        ").AppendJoin("", rows[0].Select(static (_, cpu) => $"CPU{cpu * 3}       ")).Append('\n');
        for (var i = 0; i < kinds.Length; i++)
            text.Append(CultureInfo.InvariantCulture, $"{kinds[i],12}:").AppendJoin("", rows[i].Select(static c => $" {c,10}")).Append('\n');
        var expected = rows[0].Select((_, cpu) => new SoftirqCount(cpu * 3, rows[3][cpu], unchecked((uint)rows.Sum(r => (long)r[cpu]))));
        Assert.Equal(expected, SoftirqParser.Parse(Bytes(text.ToString()))!.Value);
    });

    [Fact]
    public void Load() => Gen.Select(Gen.Int[0, 10_000_000], Gen.Int[0, int.MaxValue]).Sample((load, threads) =>
    {
        var text = Bytes(string.Create(CultureInfo.InvariantCulture, $"{load / 100}.{load % 100:00} 1.00 2.00 1/{threads} 77\n"));
        Assert.Equal(load / 100.0, LoadParser.OneMinute(text)!.Value, 9);
        Assert.Equal(threads, LoadParser.Threads(text));
    });

    [Fact]
    public void Numbers() => Gen.ULong.Sample(static number => NumberParser.Parse(Bytes($"{number}\n")) == number && NumberParser.Parse(Bytes($"-{number + 1}\n")) is null);

    [Fact]
    public void Build_ids() => Gen.Select(Gen.Byte.Array[1, 64], Gen.Select(Gen.Byte.Array[0, 9], Gen.UInt, Gen.Byte.Array[0, 40]).Array[0, 4]).Sample((id, others) =>
    {
        // Whatever is not a GNU note of the build id's type is stepped over.
        byte[] notes = [.. others.SelectMany(static o => ModuleImage.Note([.. "x"u8, .. o.Item1], o.Item2, o.Item3)), .. ModuleImage.Note("GNU\0"u8.ToArray(), 3, id)];
        Assert.Equal(Convert.ToHexStringLower(id), BuildIdNote.Parse(notes)?.Hex);
    });

    [Fact]
    public void Whatever_is_printed_fits_one_line() => Gen.String[Gen.Char['\0', '\uffff'], 0, 300].Sample(static text =>
    {
        var line = Printable.Line(text, 100);
        Assert.InRange(line.Length, 0, 101);
        Assert.Equal(line, Printable.Line(line, 101));
        Assert.DoesNotContain(line, static c => char.IsControl(c) || c is '\u2028' or '\u2029' or '\u202e');
    });

    [Theory]
    [InlineData("[none] integrity confidentiality", LockdownLevel.None)]
    [InlineData("none [integrity] confidentiality", LockdownLevel.Integrity)]
    [InlineData("none integrity [confidentiality]", LockdownLevel.Confidentiality)]
    public void Lockdown_is_never_taken_for_less(string text, LockdownLevel level) => Gen.Select(AnyName, AnyName).Sample((before, behind) =>
        Assert.True(LockdownParser.Parse([.. before, .. Bytes(text), .. behind]) >= level));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
