// Text of /proc, /sys and /dev/kmsg about the machine and its kernel.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Fuzz.Targets;

internal static class KernelTextTargets
{
    public static IReadOnlyList<Target> List { get; } =
    [
        new Target<PsiReading?>("psi", static input => PsiParser.Parse(input), static (_, reading) =>
        {
            if (reading is not { } psi)
                return "none";
            Line(psi.Some);
            if (psi.Full is { } full)
                Line(full);
            return $"{psi.Full is null} {psi.Some.Total > TimeSpan.FromDays(1)} {psi.Some.Avg10Ratio > 0}";
        })
        {
            Words = Words.Of("some ", "full ", "avg10=", "avg60=", "avg300=", "total=", "100.00", "0.00", "100.01", "\n", "\r"),
        },
        new Target<(bool? Bool, ulong? Number, LockdownLevel Lockdown)>(
            "sysfs",
            static input => (SysfsBool.Parse(input), NumberParser.Parse(input), LockdownParser.Parse(input)),
            static (input, read) =>
            {
                Expect.That(read.Bool is null || input.Length is > 0, "nothing is neither");
                Expect.That(read.Number is not { } n || input.SequenceEqual(Encoding.ASCII.GetBytes($"{n}\n")) || input[0] == '0', "a number is written as it is read");
                return $"{read.Bool} {read.Number is null} {read.Lockdown}";
            })
        {
            MaxLength = 4096,
            Words = Words.Of("1", "0", "Y", "N", "\n", "none ", "[integrity]", "[confidentiality]", "[none]", "gzip\n", "xz\n", "zstd\n"),
        },
        new Target<KernelLogRecord?>("kmsg", static input => KmsgParser.Parse(input), static (_, record) =>
        {
            if (record is null)
                return "none";
            Expect.That(record.Priority is >= 0 and <= 7 && record.Facility >= 0, "a priority is 0 to 7");
            Expect.That(record.Timestamp >= TimeSpan.Zero, "no time before boot");
            Expect.OneLine(record.Message, 1025, "the message");
            return $"{record.FromKernel} {record.Priority} {Expect.Size(record.Message.Length)} {record.Message.Contains('?', StringComparison.Ordinal)}";
        })
        {
            Words = Words.Of("6,339,5140900,-;", ";", ",", "\\x0a", "\\x1b", "\\xff", "\\x", "\n SUBSYSTEM=acpi\n", "livepatch: ", "caller=T1"),
        },
        new Target<TcpCounters?>("snmp", static input => SnmpParser.Tcp(input), static (_, read) => read is null ? "none" : $"{Expect.Size((long)(read.Value.OutSegments & long.MaxValue))}")
        {
            Words = Words.Of("Tcp: ", "OutSegs ", "RetransSegs ", "\nTcp: ", "-1 "),
        },
        new Target<ulong?>("softnet", static input => SoftnetParser.TimeSqueezes(input), static (_, read) => read is null ? "none" : Expect.Size((long)(read.Value & long.MaxValue)))
        {
            Words = Words.Of("ffffffff ", "00000000 ", "\n"),
        },
        new Target<ImmutableArray<SoftirqCount>?>("softirqs", static input => SoftirqParser.Parse(input), static (_, read) =>
        {
            Expect.That(read is not { } counts || counts.All(static c => c.Cpu is >= 0 and < CpuList.MaxCpus), "a CPU has a number below 8,192");
            return read is null ? "none" : Expect.Size(read.Value.Length);
        })
        {
            MaxLength = 256 << 10,
            Words = Words.Of("CPU0 ", "CPU8191 ", "NET_RX: ", "HI: ", "\n"),
        },
        new Target<(double? Load, int? Threads)>("load", static input => (LoadParser.OneMinute(input), LoadParser.Threads(input)), static (_, read) =>
        {
            Expect.That(read.Load is not { } load || (load >= 0 && double.IsFinite(load)), "a load is a number");
            Expect.That(read.Threads is not < 0, "no negative threads");
            return $"{read.Load is null} {read.Threads is null}";
        })
        {
            MaxLength = 4096,
            Words = Words.Of("0.20 ", "1/80 ", "/", ".", "\n"),
        },
        new Target<(ImmutableArray<int>? List, int? Count)>("cpu-list", static input => (CpuList.Parse(input), CpuList.Count(input)), static (_, read) =>
        {
            Expect.That(read.List?.Length == read.Count, "as many as are counted");
            Expect.That(read.List is not { } cpus || cpus.Zip(cpus.Skip(1)).All(static p => p.First < p.Second), "in ascending order, each once");
            if (read.List is { } list)
                Expect.That(CpuList.Parse(Encoding.ASCII.GetBytes(string.Join(',', list)))!.Value.SequenceEqual(list), "a list is written as it is read");
            return read.Count is null ? "none" : Expect.Size(read.Count.Value);
        })
        {
            Words = Words.Of("0-8191", "8192", ",", "-", "(null)", "\n"),
        },
    ];

    private static void Line(PsiLine line)
    {
        Expect.That(line is { Avg10Ratio: >= 0 and <= 1, Avg60Ratio: >= 0 and <= 1, Avg300Ratio: >= 0 and <= 1 }, "averages are shares");
        Expect.That(line.Total >= TimeSpan.Zero, "a total is not negative");
    }
}
