// Writes one JSON document of the contract to standard output.
using System.Buffers;
using System.Text;
using System.Text.Json;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Json;

internal static class JsonOut
{
    public const int Schema = 1;

    private static readonly JsonWriterOptions OneLine = new() { NewLine = "\n" };
    private static readonly JsonWriterOptions Indented = new() { Indented = true, NewLine = "\n" };

    /// <summary>A whole document: an object that begins with the schema's number.</summary>
    public static void Document(Terminal terminal, Action<Utf8JsonWriter> members) => Write(terminal, Indented, members);

    /// <summary>A document of somebody else's specification, which numbers its schemas by itself.</summary>
    public static void Foreign(Terminal terminal, Action<Utf8JsonWriter> members) => Write(terminal, Indented, members, ours: false);

    /// <summary>A document on one line, for streams.</summary>
    public static void Line(Terminal terminal, Action<Utf8JsonWriter> members) => Write(terminal, OneLine, members);

    public static void Moment(this Utf8JsonWriter json, string name, DateTimeOffset? time) =>
        json.WriteString(name, time is { } at ? TimeText.Rfc3339(at) : null);

    public static void Strings(this Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    public static void Objects<T>(this Utf8JsonWriter json, string name, IEnumerable<T> items, Action<T> members)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
        {
            json.WriteStartObject();
            members(item);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    public static void OptionalBool(this Utf8JsonWriter json, string name, bool? value)
    {
        if (value is { } known)
            json.WriteBoolean(name, known);
        else
            json.WriteNull(name);
    }

    public static void OptionalNumber(this Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } known)
            json.WriteNumber(name, known);
        else
            json.WriteNull(name);
    }

    public static void OptionalNumber(this Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } known)
            json.WriteNumber(name, known);
        else
            json.WriteNull(name);
    }

    private static void Write(Terminal terminal, JsonWriterOptions options, Action<Utf8JsonWriter> members, bool ours = true)
    {
        var octets = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(octets, options))
        {
            json.WriteStartObject();
            if (ours)
                json.WriteNumber("schema", Schema);
            members(json);
            json.WriteEndObject();
        }
        terminal.Out.WriteLine(Encoding.UTF8.GetString(octets.WrittenSpan));
    }
}
