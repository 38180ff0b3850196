// A validator for the part of JSON Schema that docs/schema uses; a keyword it does not know is an error, not a pass.
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LivePatchd.Ctl.Tests;

internal static class SchemaValidator
{
    public static IReadOnlyList<string> Errors(string schemaFile, string document)
    {
        using var parsed = JsonDocument.Parse(document);
        var errors = new List<string>();
        Check(Load(schemaFile), schemaFile, parsed.RootElement, "$", errors);
        return errors;
    }

    public static void Validate(string schemaFile, string document)
    {
        var errors = Errors(schemaFile, document);
        Assert.True(errors.Count == 0, string.Join('\n', errors) + "\n" + document);
    }

    internal static JsonElement Load(string file) =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "schema", file))).RootElement;

    private static void Check(JsonElement schema, string file, JsonElement value, string at, List<string> errors)
    {
        foreach (var keyword in schema.EnumerateObject())
        {
            switch (keyword.Name)
            {
                case "$schema" or "$id" or "title" or "description" or "$defs":
                    break;
                case "$ref":
                    var parts = keyword.Value.GetString()!.Split('#');
                    var target = parts[0].Length == 0 ? file : parts[0];
                    var referred = parts[1].Split('/', StringSplitOptions.RemoveEmptyEntries).Aggregate(Load(target), static (e, name) => e.GetProperty(name));
                    Check(referred, target, value, at, errors);
                    break;
                case "type":
                    var types = keyword.Value.ValueKind == JsonValueKind.Array ? keyword.Value.EnumerateArray().ToArray() : [keyword.Value];
                    if (!types.Any(t => Is(value, t.GetString()!)))
                        errors.Add($"{at}: {value.ValueKind} is not of type {keyword.Value}");
                    break;
                case "const":
                    if (!JsonElement.DeepEquals(keyword.Value, value))
                        errors.Add($"{at}: {value} is not {keyword.Value}");
                    break;
                case "enum":
                    if (!keyword.Value.EnumerateArray().Any(e => JsonElement.DeepEquals(e, value)))
                        errors.Add($"{at}: {value} is not one of {keyword.Value}");
                    break;
                case "anyOf":
                    if (!keyword.Value.EnumerateArray().Any(s => Fits(s, file, value, at)))
                        errors.Add($"{at}: {value} fits none of {keyword.Value}");
                    break;
                case "pattern":
                    if (value.ValueKind == JsonValueKind.String && !Regex.IsMatch(value.GetString()!, keyword.Value.GetString()!))
                        errors.Add($"{at}: {value} does not match {keyword.Value}");
                    break;
                case "format" when keyword.Value.GetString() == "date-time":
                    if (value.ValueKind == JsonValueKind.String && !IsRfc3339(value.GetString()!))
                        errors.Add($"{at}: {value} is no RFC 3339 time");
                    break;
                case "minimum":
                    if (value.ValueKind == JsonValueKind.Number && value.GetDouble() < keyword.Value.GetDouble())
                        errors.Add($"{at}: {value} is below {keyword.Value}");
                    break;
                case "items":
                    if (value.ValueKind == JsonValueKind.Array)
                    {
                        foreach (var (i, item) in value.EnumerateArray().Index())
                            Check(keyword.Value, file, item, $"{at}[{i}]", errors);
                    }
                    break;
                case "required":
                    if (value.ValueKind == JsonValueKind.Object)
                        errors.AddRange(keyword.Value.EnumerateArray().Where(n => !value.TryGetProperty(n.GetString()!, out _)).Select(n => $"{at}: {n} is missing"));
                    break;
                case "properties" when value.ValueKind == JsonValueKind.Object:
                    foreach (var property in keyword.Value.EnumerateObject())
                    {
                        if (value.TryGetProperty(property.Name, out var member))
                            Check(property.Value, file, member, $"{at}.{property.Name}", errors);
                    }
                    break;
                case "properties":
                    break;
                case "additionalProperties" when keyword.Value.ValueKind == JsonValueKind.False:
                    if (value.ValueKind == JsonValueKind.Object)
                        errors.AddRange(value.EnumerateObject().Where(m => !schema.GetProperty("properties").TryGetProperty(m.Name, out _)).Select(m => $"{at}: {m.Name} is not known"));
                    break;
                default:
                    throw new NotSupportedException($"{file}: {keyword}");
            }
        }
    }

    private static bool Fits(JsonElement schema, string file, JsonElement value, string at)
    {
        var errors = new List<string>();
        Check(schema, file, value, at, errors);
        return errors.Count == 0;
    }

    private static bool Is(JsonElement value, string type) => (type, value.ValueKind) switch
    {
        ("null", JsonValueKind.Null) or ("string", JsonValueKind.String) or ("array", JsonValueKind.Array) or ("object", JsonValueKind.Object) => true,
        ("boolean", JsonValueKind.True or JsonValueKind.False) or ("number", JsonValueKind.Number) => true,
        ("integer", JsonValueKind.Number) => value.TryGetInt64(out _) || value.TryGetUInt64(out _),
        _ => false,
    };

    private static bool IsRfc3339(string text) =>
        Regex.IsMatch(text, @"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$")
        && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
}
