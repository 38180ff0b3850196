// A small state file's bytes: "crc32c json" and a newline, so that damage is told from content.
using System.Globalization;
using System.Text;

namespace LivePatchd.Core.Recovery;

internal static class Framed
{
    private const int CrcDigits = 8;

    public static byte[] Wrap(ReadOnlySpan<byte> json)
    {
        var crc = JournalCodec.Crc32C(json).ToString("x8", CultureInfo.InvariantCulture);
        return [.. Encoding.ASCII.GetBytes(crc), (byte)' ', .. json, (byte)'\n'];
    }

    /// <summary>Empty when the bytes are not what was written.</summary>
    public static ReadOnlySpan<byte> Unwrap(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < CrcDigits + 3 || bytes[CrcDigits] != ' ' || bytes[^1] != '\n'
            || !uint.TryParse(bytes[..CrcDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc))
            return [];
        var json = bytes[(CrcDigits + 1)..^1];
        return crc == JournalCodec.Crc32C(json) ? json : [];
    }
}
