// Reads files that hold one number and nothing else, such as /sys/kernel/oops_count.
namespace LivePatchd.Core.Parsing;

public static class NumberParser
{
    /// <summary>Null when the text is anything but decimal digits and a newline.</summary>
    public static ulong? Parse(ReadOnlySpan<byte> text) =>
        TextFields.TakeLine(ref text, out var line) && text.IsEmpty ? TextFields.Number(line) : null;
}
