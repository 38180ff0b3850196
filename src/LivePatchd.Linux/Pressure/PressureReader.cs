// Takes one reading of everything that tells how hard the machine is working.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Linux.Pressure;

/// <param name="Path">On the host, without the prefix of a test's root.</param>
public readonly record struct SourceFailure(string Path, SysResult Result);

/// <summary>Not for several threads at once: each has a reader of its own. A reading leaves no garbage while every source answers.</summary>
public sealed class PressureReader : IDisposable
{
    private readonly CounterFile io;
    private readonly CounterFile cpu;
    private readonly CounterFile memory;
    private readonly CounterFile load;
    private readonly CounterFile online;
    private readonly CounterFile snmp;
    private readonly CounterFile softnet;
    private readonly CounterFile oops;
    private readonly CounterFile warn;
    private readonly ImmutableArray<SourceFailure>.Builder failures = ImmutableArray.CreateBuilder<SourceFailure>(9);

    public PressureReader(SystemRoot root)
    {
        io = new(root, "/proc/pressure/io");
        cpu = new(root, "/proc/pressure/cpu");
        memory = new(root, "/proc/pressure/memory");
        load = new(root, "/proc/loadavg");
        online = new(root, "/sys/devices/system/cpu/online");
        snmp = new(root, "/proc/net/snmp");
        softnet = new(root, "/proc/net/softnet_stat");
        oops = new(root, "/sys/kernel/oops_count");
        warn = new(root, "/sys/kernel/warn_count");
    }

    private delegate T? Parser<T>(ReadOnlySpan<byte> text)
        where T : struct;

    /// <summary>
    /// The sources that were missing at the last reading and why. With psi=0 the kernel has no pressure files (ENOENT), or has them
    /// and refuses to read them (EOPNOTSUPP); text that makes no sense is EBADMSG.
    /// </summary>
    public ImmutableArray<SourceFailure> Failures => failures.Count == 0 ? [] : failures.ToImmutable();

    /// <param name="now">The moment of the reading.</param>
    public PressureSample Read(Instant now)
    {
        failures.Clear();
        return new PressureSample(
            now,
            Take<PsiReading>(io, PsiParser.Parse),
            Take<PsiReading>(cpu, PsiParser.Parse),
            Take<PsiReading>(memory, PsiParser.Parse),
            Take<double>(load, LoadParser.OneMinute),
            Take<int>(online, CpuList.Count) is { } cpus and > 0 ? cpus : 1,
            Take<TcpCounters>(snmp, SnmpParser.Tcp),
            Take<ulong>(softnet, SoftnetParser.TimeSqueezes),
            Take<ulong>(oops, NumberParser.Parse),
            Take<ulong>(warn, NumberParser.Parse))
        {
            PsiOff = IsPsiOff(),
        };
    }

    /// <summary>Not one of the three, and for a reason that does not pass; what is merely denied or broken is missing.</summary>
    private bool IsPsiOff()
    {
        var off = 0;
        // Without an enumerator, which would be garbage.
        for (var i = 0; i < failures.Count; i++)
        {
            var failure = failures[i];
            if (failure.Result.Errno is Errno.ENOENT or Errno.EOPNOTSUPP && (failure.Path == io.Path || failure.Path == cpu.Path || failure.Path == memory.Path))
                off++;
        }
        return off == 3;
    }

    public void Dispose()
    {
        foreach (var file in new[] { io, cpu, memory, load, online, snmp, softnet, oops, warn })
            file.Dispose();
    }

    private T? Take<T>(CounterFile file, Parser<T> parse)
        where T : struct
    {
        var result = file.Read(out var content);
        var value = result.IsOk ? parse(content) : null;
        if (value is null)
            failures.Add(new SourceFailure(file.Path, result.IsOk ? SysResult.Fail(Errno.EBADMSG, "parse") : result));
        return value;
    }
}
