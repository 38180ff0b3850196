// A JSON writer through which no text passes unmasked, for documents that leave the host.
using System.Text.Json;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Publish;

internal sealed class RedactedJson(Utf8JsonWriter json)
{
    public void Object(string? name, Action members)
    {
        if (name is null)
            json.WriteStartObject();
        else
            json.WriteStartObject(name);
        members();
        json.WriteEndObject();
    }

    public void Array<T>(string name, IEnumerable<T> items, Action<T> write)
    {
        json.WriteStartArray(name);
        foreach (var item in items)
            write(item);
        json.WriteEndArray();
    }

    public void Objects<T>(string name, IEnumerable<T> items, Action<T> members) => Array(name, items, i => Object(null, () => members(i)));

    public void Lines(string name, IEnumerable<string> lines) => Array(name, lines, l => json.WriteStringValue(Redaction.Line(l)));

    /// <summary>Null and empty are both null.</summary>
    public void Text(string name, string? value) =>
        json.WriteString(name, string.IsNullOrEmpty(value) ? null : Redaction.Line(value));

    public void Time(string name, DateTimeOffset? value)
    {
        if (value is { } time)
            json.WriteString(name, time);
        else
            json.WriteNull(name);
    }

    public void Number(string name, ulong? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }

    public void Number(string name, long value) => json.WriteNumber(name, value);

    public void Figure(string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }

    public void Flag(string name, bool? value)
    {
        if (value is { } flag)
            json.WriteBoolean(name, flag);
        else
            json.WriteNull(name);
    }
}
