// Every "key=value" of .modinfo in the file's order, made fit for one line each.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Elf;

public sealed record ModInfoFact(string Key, string Value);

internal static class ModInfoFacts
{
    private const int MaxFacts = 1_000;
    private const int MaxBytes = 64 * 1024;
    private const int MaxKey = 64;
    private const int MaxValue = 1024;

    /// <summary>A driver may list thousands of aliases: what is beyond the limits is left out, and <paramref name="isIncomplete"/> says so.</summary>
    internal static ImmutableArray<ModInfoFact> Read(ReadOnlySpan<byte> section, out bool isIncomplete)
    {
        var facts = ImmutableArray.CreateBuilder<ModInfoFact>();
        var bytes = 0;
        isIncomplete = false;
        while (section.IndexOf((byte)0) is >= 0 and var end)
        {
            var entry = section[..end];
            section = section[(end + 1)..];
            if (entry.IndexOf((byte)'=') is not (> 0 and <= MaxKey and var equals))
            {
                isIncomplete |= !entry.IsEmpty;
                continue;
            }
            var value = entry[(equals + 1)..];
            value = value[..Math.Min(value.Length, MaxValue)];
            bytes += equals + value.Length;
            if (facts.Count == MaxFacts || bytes > MaxBytes)
            {
                isIncomplete = true;
                break;
            }
            isIncomplete |= value.Length < entry.Length - equals - 1;
            facts.Add(new ModInfoFact(Text(entry[..equals], MaxKey), Text(value, MaxValue)));
        }
        return facts.ToImmutable();
    }

    private static string Text(ReadOnlySpan<byte> bytes, int maxLength) => Printable.Line(Encoding.UTF8.GetString(bytes), maxLength);
}
