// Reads a D-Bus property dictionary without trust in its completeness: what is missing or of another type is unknown.
using LivePatchd.Bus;

namespace LivePatchd.Ctl.Client;

internal static class Properties
{
    /// <summary>Null for the empty string too, which is how the bus says "none".</summary>
    public static string? Text(this Dictionary<string, object> values, string name) =>
        values.GetValueOrDefault(name) is string { Length: > 0 } text ? text : null;

    public static bool Flag(this Dictionary<string, object> values, string name) => values.GetValueOrDefault(name) is true;

    public static ulong Number(this Dictionary<string, object> values, string name) => values.GetValueOrDefault(name) switch
    {
        ulong number => number,
        uint number => number,
        _ => 0,
    };

    /// <summary>A moment in microseconds since 1970; 0 is none.</summary>
    public static DateTimeOffset? Moment(this Dictionary<string, object> values, string name) => Moment(values.Number(name));

    public static DateTimeOffset? Moment(ulong microseconds)
    {
        var range = (ulong)(DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch).TotalSeconds * 1_000_000;
        return microseconds == 0 || microseconds >= range ? null : DateTimeOffset.UnixEpoch.AddMicroseconds(microseconds);
    }

    public static string[] Texts(this Dictionary<string, object> values, string name) =>
        values.GetValueOrDefault(name) as string[] ?? [];

    /// <summary>The structs of an array of structs.</summary>
    public static IEnumerable<object[]> Structs(this Dictionary<string, object> values, string name) =>
        values.GetValueOrDefault(name) is object[] items ? items.OfType<object[]>() : [];

    public static bool? YesNo(object? value) => value switch
    {
        "yes" => true,
        "no" => false,
        _ => null,
    };

    /// <summary>The arguments of a PropertiesChanged signal.</summary>
    public static (string Interface, Dictionary<string, object> Changed, string[] Invalidated) ReadChange(BusReader reader) =>
        (reader.ReadString(), reader.ReadProperties(), reader.ReadStrings());
}
