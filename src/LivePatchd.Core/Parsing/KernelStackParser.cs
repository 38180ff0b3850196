// Reads /proc/PID/stack: "[<0>] symbol+0x1/0x2 [module]" lines, innermost frame first.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Parsing;

public static class KernelStackParser
{
    /// <summary>The kernel itself stores no more than 64.</summary>
    private const int MaxFrames = 128;

    /// <summary>Lines that are no frame, or were cut off, are left out.</summary>
    public static ImmutableArray<StackFrame> Parse(ReadOnlySpan<byte> text)
    {
        var frames = ImmutableArray.CreateBuilder<StackFrame>();
        while (frames.Count < MaxFrames && TextFields.TakeLine(ref text, out var line))
        {
            if (!TextFields.TakeWord(ref line, out var address) || !address.StartsWith("[<"u8) || !TextFields.TakeWord(ref line, out var place))
                continue;
            var plus = place.LastIndexOf((byte)'+');
            // A bare address: the kernel had no symbol for it.
            if (plus <= 0)
                continue;
            var module = TextFields.TakeWord(ref line, out var bracket) && bracket is [(byte)'[', .., (byte)']']
                ? Printable.Line(Encoding.UTF8.GetString(bracket[1..^1]))
                : null;
            frames.Add(new StackFrame(Printable.Line(Encoding.UTF8.GetString(place[..plus])), module));
        }
        return frames.ToImmutable();
    }
}
