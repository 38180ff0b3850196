// A NUL-terminated string inside a table, never read further than its longest sensible length.
namespace LivePatchd.Core.Elf;

internal static class CString
{
    /// <summary>Empty when there is none at the offset, or it does not end within <paramref name="maxLength"/> bytes.</summary>
    internal static ReadOnlySpan<byte> At(ReadOnlySpan<byte> table, long offset, int maxLength)
    {
        if (offset < 0 || offset >= table.Length)
            return default;
        var rest = table[(int)offset..];
        rest = rest[..Math.Min(rest.Length, maxLength + 1)];
        var end = rest.IndexOf((byte)0);
        return end < 0 ? default : rest[..end];
    }
}
