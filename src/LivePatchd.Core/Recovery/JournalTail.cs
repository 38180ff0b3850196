// The last records of a journal for people to look at, from the end of its bytes: what cannot be read is counted and passed over.
using System.Collections.Immutable;
using System.Text;

namespace LivePatchd.Core.Recovery;

/// <param name="Unreadable">Lines that are torn, damaged, or of a version that this one does not know.</param>
public sealed record JournalTail(ImmutableArray<JournalRecord> Records, int Unreadable)
{
    /// <param name="bytes">The whole journal, or its end.</param>
    /// <param name="whole">False: it may begin in the middle of a line, which is left out.</param>
    /// <param name="max">The newest so many.</param>
    public static JournalTail Read(ReadOnlySpan<byte> bytes, bool whole, int max)
    {
        if (!whole)
            bytes = bytes[(bytes.IndexOf((byte)'\n') + 1)..];
        var version = Encoding.ASCII.GetBytes(JournalCodec.VersionLine);
        if (bytes.StartsWith(version))
            bytes = bytes[version.Length..];
        var records = new Queue<JournalRecord>();
        var unreadable = 0;
        while (!bytes.IsEmpty)
        {
            var length = bytes.IndexOf((byte)'\n') is >= 0 and var end ? end : bytes.Length;
            if (JournalCodec.ReadLine(bytes[..length]) is { } record)
                records.Enqueue(record);
            else
                unreadable++;
            if (records.Count > max)
                records.Dequeue();
            bytes = bytes[Math.Min(length + 1, bytes.Length)..];
        }
        return new JournalTail([.. records], unreadable);
    }
}
