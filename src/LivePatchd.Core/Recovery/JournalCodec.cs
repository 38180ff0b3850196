// The journal's bytes: a version line, then one record a line as "crc32c json"; tells a torn tail from damage within.
using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace LivePatchd.Core.Recovery;

/// <param name="Whole">Bytes from the start that are good; what follows is a torn last line.</param>
/// <param name="Damage">Null, or why the journal cannot be trusted (damage before the last line, foreign version).</param>
public sealed record JournalContent(ImmutableArray<JournalRecord> Records, int Whole, string? Damage);

public static class JournalCodec
{
    public const string VersionLine = "livepatchd journal 1\n";

    private const int CrcDigits = 8;

    /// <summary>One framed record, ending in a newline.</summary>
    public static byte[] Encode(JournalRecord record)
    {
        var json = new ArrayBufferWriter<byte>();
        JournalJson.Write(json, record);
        var crc = Crc32C(json.WrittenSpan).ToString("x8", CultureInfo.InvariantCulture);
        var line = new byte[CrcDigits + 1 + json.WrittenCount + 1];
        Encoding.ASCII.GetBytes(crc, line);
        line[CrcDigits] = (byte)' ';
        json.WrittenSpan.CopyTo(line.AsSpan(CrcDigits + 1));
        line[^1] = (byte)'\n';
        return line;
    }

    /// <summary>
    /// Total: never throws. An append is one write, so a killed process tears at most the last line; a power cut tears what was
    /// not synced yet, which is the tail too. A bad line with good ones behind it is damage, and nothing after it is believed.
    /// </summary>
    public static JournalContent Decode(ReadOnlySpan<byte> bytes)
    {
        var records = ImmutableArray.CreateBuilder<JournalRecord>();
        if (bytes.IsEmpty)
            return new([], 0, null);
        var version = Encoding.ASCII.GetBytes(VersionLine);
        if (!bytes.StartsWith(version))
        {
            var torn = version.AsSpan().StartsWith(bytes);
            return new([], 0, torn ? null : "not a journal of version 1");
        }
        var at = version.Length;
        while (at < bytes.Length)
        {
            var length = bytes[at..].IndexOf((byte)'\n');
            if (length < 0)
                return new(records.ToImmutable(), at, null);
            if (DecodeLine(bytes.Slice(at, length)) is not { } record)
            {
                var last = at + length + 1 == bytes.Length;
                return new(records.ToImmutable(), at, last ? null : $"record {records.Count + 1} is damaged");
            }
            records.Add(record);
            at += length + 1;
        }
        return new(records.ToImmutable(), at, null);
    }

    private static JournalRecord? DecodeLine(ReadOnlySpan<byte> line)
    {
        if (line.Length < CrcDigits + 2 || line[CrcDigits] != ' ')
            return null;
        var json = line[(CrcDigits + 1)..];
        return uint.TryParse(line[..CrcDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc)
            && crc == Crc32C(json)
            ? JournalJson.Read(json)
            : null;
    }

    internal static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
