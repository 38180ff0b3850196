// Reads the CPU lists of /sys/devices/system/cpu: "0-3,7".
using System.Collections.Immutable;

namespace LivePatchd.Core.Parsing;

public static class CpuList
{
    /// <summary>More than any kernel is built for.</summary>
    public const int MaxCpus = 8192;

    /// <summary>In ascending order, each once. Empty for no CPU; null when the text is no such list.</summary>
    public static ImmutableArray<int>? Parse(ReadOnlySpan<byte> text)
    {
        Span<bool> listed = stackalloc bool[MaxCpus];
        if (!Mark(text, listed))
            return null;
        var cpus = ImmutableArray.CreateBuilder<int>();
        for (var cpu = 0; cpu < listed.Length; cpu++)
        {
            if (listed[cpu])
                cpus.Add(cpu);
        }
        return cpus.ToImmutable();
    }

    /// <summary>How many CPUs the list names; null when the text is no such list.</summary>
    public static int? Count(ReadOnlySpan<byte> text)
    {
        Span<bool> listed = stackalloc bool[MaxCpus];
        return Mark(text, listed) ? listed.Count(true) : null;
    }

    private static bool Mark(ReadOnlySpan<byte> text, Span<bool> listed)
    {
        listed.Clear();
        text = text.Trim(" \n"u8);
        // nohz_full prints this when the kernel was booted without it.
        if (text.IsEmpty || text.SequenceEqual("(null)"u8))
            return true;
        while (true)
        {
            var comma = text.IndexOf((byte)',');
            var part = comma < 0 ? text : text[..comma];
            var dash = part.IndexOf((byte)'-');
            var first = TextFields.Number(dash < 0 ? part : part[..dash]);
            var last = dash < 0 ? first : TextFields.Number(part[(dash + 1)..]);
            if (first is not { } from || last is not { } to || from > to || to >= MaxCpus)
                return false;
            listed[(int)from..((int)to + 1)].Fill(true);
            if (comma < 0)
                return true;
            text = text[(comma + 1)..];
        }
    }
}
