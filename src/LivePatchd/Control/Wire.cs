// How the daemon's values look on the bus: empty text for absent, microseconds since 1970 for moments, 0 for never.
using LivePatchd.Bus;

namespace LivePatchd.Control;

internal static class Wire
{
    public static ulong Usec(DateTimeOffset? moment) =>
        moment is { } m && m > DateTimeOffset.UnixEpoch ? (ulong)((m - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond) : 0;

    /// <summary>Null for what no calendar holds.</summary>
    public static DateTimeOffset? Moment(ulong usec) =>
        usec <= Usec(DateTimeOffset.MaxValue) ? DateTimeOffset.UnixEpoch.AddTicks((long)usec * TimeSpan.TicksPerMicrosecond) : null;

    public static string Tristate(bool? value) => value switch
    {
        true => "yes",
        false => "no",
        null => "unknown",
    };

    public static void Pairs(BusWriter writer, IEnumerable<(string, string)> pairs) =>
        writer.WriteArray("(ss)", pairs, static (w, pair) => w.WriteStruct("ss", s =>
        {
            s.WriteString(pair.Item1);
            s.WriteString(pair.Item2);
        }));
}
