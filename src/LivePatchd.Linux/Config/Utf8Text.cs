// Bytes of a file → text: strict UTF-8 without control characters, or the line where it stops being that.
using System.Buffers;
using System.Text;

namespace LivePatchd.Linux.Config;

internal static class Utf8Text
{
    /// <summary>The text without its byte order mark, or null with the line and what is wrong there.</summary>
    public static string? Decode(ReadOnlySpan<byte> bytes, out int line, out string problem)
    {
        if (bytes.StartsWith("\uFEFF"u8))
            bytes = bytes[3..];
        line = 1;
        problem = "";
        for (var at = 0; at < bytes.Length;)
        {
            if (Rune.DecodeFromUtf8(bytes[at..], out var rune, out var consumed) != OperationStatus.Done)
            {
                problem = "the file is not UTF-8 text";
                return null;
            }
            if (rune.Value == '\n')
                line++;
            else if (Rune.IsControl(rune) && rune.Value is not ('\t' or '\r'))
            {
                problem = $"the file holds the control character U+{rune.Value:X4}";
                return null;
            }
            at += consumed;
        }
        return Encoding.UTF8.GetString(bytes);
    }
}
