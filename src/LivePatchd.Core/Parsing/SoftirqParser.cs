// Reads /proc/softirqs: per online CPU, how many network receive interrupts and how many of any kind have run.
using System.Collections.Immutable;

namespace LivePatchd.Core.Parsing;

/// <summary>Counters since boot; the kernel's have 32 bits and wrap.</summary>
public readonly record struct SoftirqCount(int Cpu, uint NetReceive, uint Total);

public static class SoftirqParser
{
    /// <summary>In the file's order. Null when the text is no such table.</summary>
    public static ImmutableArray<SoftirqCount>? Parse(ReadOnlySpan<byte> text)
    {
        if (!TextFields.TakeLine(ref text, out var heading))
            return null;
        var counts = ImmutableArray.CreateBuilder<SoftirqCount>();
        while (TextFields.TakeWord(ref heading, out var word))
        {
            if (!word.StartsWith("CPU"u8) || TextFields.Number(word[3..]) is not { } cpu || cpu >= CpuList.MaxCpus)
                return null;
            counts.Add(new SoftirqCount((int)cpu, 0, 0));
        }
        var network = false;
        while (TextFields.TakeLine(ref text, out var line))
        {
            if (!TextFields.TakeWord(ref line, out var kind))
                continue;
            var receive = kind.SequenceEqual("NET_RX:"u8);
            network |= receive;
            for (var i = 0; i < counts.Count; i++)
            {
                if (!TextFields.TakeWord(ref line, out var word) || TextFields.Number(word) is not { } count)
                    return null;
                var seen = counts[i];
                counts[i] = seen with { NetReceive = receive ? (uint)count : seen.NetReceive, Total = unchecked(seen.Total + (uint)count) };
            }
        }
        return network && counts.Count > 0 ? counts.ToImmutable() : null;
    }
}
