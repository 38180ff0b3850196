// The configuration for programs: every key with its origin, and every error and warning.
using System.Buffers;
using System.Text;
using System.Text.Json;
using LivePatchd.Core.Config;

namespace LivePatchd.Publish;

internal static class ConfigJson
{
    private static readonly JsonWriterOptions ForPeopleToo = new() { Indented = true, NewLine = "\n" };

    /// <summary>What is in force, in the order of the contract.</summary>
    public static string Cat(ConfigResult result) => Document(result, json =>
    {
        json.WriteStartArray("keys");
        foreach (var origin in result.Origins)
        {
            json.WriteStartObject();
            json.WriteString("key", origin.Key);
            json.WriteString("value", origin.Value);
            json.WriteString("file", origin.File);
            Line(json, origin.File is null ? 0 : origin.Line);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    /// <summary>Errors, then warnings.</summary>
    public static string Check(ConfigResult result) => Document(result, json =>
    {
        json.WriteStartArray("problems");
        foreach (var error in result.Errors)
            Problem(json, "error", error);
        foreach (var warning in result.Warnings)
            Problem(json, "warning", warning);
        json.WriteEndArray();
    });

    private static void Problem(Utf8JsonWriter json, string severity, ConfigError problem)
    {
        json.WriteStartObject();
        json.WriteString("severity", severity);
        json.WriteString("file", problem.File);
        Line(json, problem.Line);
        json.WriteString("key", problem.Key.Length == 0 ? null : problem.Key);
        json.WriteString("message", problem.Message);
        json.WriteString("suggestion", problem.Suggestion);
        json.WriteEndObject();
    }

    private static void Line(Utf8JsonWriter json, int line)
    {
        if (line > 0)
            json.WriteNumber("line", line);
        else
            json.WriteNull("line");
    }

    private static string Document(ConfigResult result, Action<Utf8JsonWriter> members)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, ForPeopleToo))
        {
            json.WriteStartObject();
            json.WriteNumber("schema", 1);
            json.WriteBoolean("ok", result.IsValid);
            members(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
