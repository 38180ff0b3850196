// The journal's bytes: a version line, then one record a line as "crc32c json"; tells what a power cut may tear from damage.
using System.Buffers;
using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace LivePatchd.Core.Recovery;

/// <param name="Whole">Bytes from the start that are good; what follows is a torn tail.</param>
/// <param name="Damage">Null, or why the journal cannot be trusted (damage in what was on disk, foreign version).</param>
/// <param name="Newer">What stands in the way is the work of a newer version, and no damage: the file is that version's, and stays as it is.</param>
public sealed record JournalContent(ImmutableArray<JournalRecord> Records, int Whole, string? Damage, bool Newer = false);

public static class JournalCodec
{
    public const string VersionLine = "livepatchd journal 1\n";

    private const int CrcDigits = 8;

    private static ReadOnlySpan<byte> VersionPrefix => "livepatchd journal "u8;

    /// <summary>One framed record, ending in a newline, for a place before which everything is on disk.</summary>
    public static byte[] Encode(JournalRecord record) => EncodeBehind(0, record);

    /// <summary>One framed record, ending in a newline.</summary>
    /// <param name="unsynced">Bytes right before it in the file that are not yet known to be on disk; all before those are.</param>
    public static byte[] EncodeBehind(long unsynced, JournalRecord record)
    {
        var json = new ArrayBufferWriter<byte>();
        JournalJson.Write(json, record, unsynced);
        var crc = Crc32C(json.WrittenSpan).ToString("x8", CultureInfo.InvariantCulture);
        var line = new byte[CrcDigits + 1 + json.WrittenCount + 1];
        Encoding.ASCII.GetBytes(crc, line);
        line[CrcDigits] = (byte)' ';
        json.WrittenSpan.CopyTo(line.AsSpan(CrcDigits + 1));
        line[^1] = (byte)'\n';
        return line;
    }

    /// <summary>
    /// Total: never throws. A killed process tears at most the last line. A power cut may lose, zero or cut any part of what was not
    /// synced, and keep later lines of it whole: a bad line is such a tail when no good line behind it was written after the
    /// bad one's place had been synced, which every line says of itself. Anything else is damage. Nothing after a bad line is believed.
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
            return new([], 0, torn ? null : "not a journal of version 1", Newer: IsOfOtherVersion(bytes));
        }
        var at = version.Length;
        while (at < bytes.Length)
        {
            var length = bytes[at..].IndexOf((byte)'\n');
            if (length < 0)
                return new(records.ToImmutable(), at, null);
            var line = bytes.Slice(at, length);
            if (!IsWhole(line))
                return new(records.ToImmutable(), at, IsTornTail(bytes, at, length) ? null : $"record {records.Count + 1} is damaged");
            if (JournalJson.Read(line[(CrcDigits + 1)..], out _) is not { } record)
            {
                var newer = JournalJson.IsOfUnknownKind(line[(CrcDigits + 1)..]);
                return new(records.ToImmutable(), at, $"record {records.Count + 1} is none that this version knows", newer);
            }
            records.Add(record);
            at += length + 1;
        }
        return new(records.ToImmutable(), at, null);
    }

    /// <summary>One line without its newline; null when it is torn, damaged, or none that this version knows.</summary>
    internal static JournalRecord? ReadLine(ReadOnlySpan<byte> line) => IsWhole(line) ? JournalJson.Read(line[(CrcDigits + 1)..], out _) : null;

    /// <summary>True when no whole line behind the bad one at <paramref name="bad"/> vouches for that place.</summary>
    private static bool IsTornTail(ReadOnlySpan<byte> bytes, int bad, int badLength)
    {
        var at = bad + badLength + 1;
        while (at < bytes.Length && bytes[at..].IndexOf((byte)'\n') is var length and >= 0)
        {
            var line = bytes.Slice(at, length);
            if (IsWhole(line) && (JournalJson.Read(line[(CrcDigits + 1)..], out var unsynced) is null || at - Math.Max(0, unsynced) > bad))
                return false;
            at += length + 1;
        }
        return true;
    }

    /// <summary>"livepatchd journal N" with another number than this version's.</summary>
    private static bool IsOfOtherVersion(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)'\n');
        return end > VersionPrefix.Length && bytes.StartsWith(VersionPrefix)
            && int.TryParse(bytes[VersionPrefix.Length..end], NumberStyles.None, CultureInfo.InvariantCulture, out _);
    }

    private static bool IsWhole(ReadOnlySpan<byte> line) =>
        line.Length >= CrcDigits + 2 && line[CrcDigits] == ' '
        && uint.TryParse(line[..CrcDigits], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var crc)
        && crc == Crc32C(line[(CrcDigits + 1)..]);

    internal static uint Crc32C(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
