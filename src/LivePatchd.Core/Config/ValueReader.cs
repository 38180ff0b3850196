// Takes checked values out of a tree that was held against its schema: null for what is not set, or was refused.
using System.Collections.Immutable;
using System.Globalization;

namespace LivePatchd.Core.Config;

/// <param name="schema">Of the whole file.</param>
internal sealed class ValueReader(Schema.Map schema, MapNode file)
{
    public TimeSpan? Span(string path) => Text(path) is { } text ? DurationText.TryParse(text) : null;

    public double? Number(string path) => Text(path) is { } text ? (double)Decimal(text) : null;

    /// <summary>A percentage as a share of 1.</summary>
    public double? Percent(string path) => Text(path) is { } text ? (double)(Decimal(text) / 100) : null;

    public int? Whole(string path) => Text(path) is { } text ? ScalarRules.TryWhole(text) : null;

    public string? Text(string path) =>
        ConfigPath.Key(schema, path).Value is Schema.Scalar scalar && ConfigPath.Find(file, path)?.Value is { } node
            ? Scalar(scalar, node)
            : null;

    /// <summary>The maps of a list; null when it is not set.</summary>
    public ImmutableArray<ValueReader>? Maps(string path) =>
        ConfigPath.Key(schema, path).Value is Schema.List { Item: Schema.Map item } && ConfigPath.Find(file, path)?.Value is ListNode list
            ? [.. list.Items.OfType<MapNode>().Select(m => new ValueReader(item, m))]
            : null;

    /// <summary>The single values of a list; null when it is not set.</summary>
    public ImmutableArray<string>? Texts(string path) =>
        ConfigPath.Key(schema, path).Value is Schema.List { Item: Schema.Scalar item } && ConfigPath.Find(file, path)?.Value is ListNode list
            ? [.. list.Items.Select(n => Scalar(item, n)).OfType<string>()]
            : null;

    private static string? Scalar(Schema.Scalar schema, ConfigNode node) =>
        node is ScalarNode { IsNull: false } scalar && schema.Rule(scalar.Text) is null ? scalar.Text : null;

    private static decimal Decimal(string text) => decimal.Parse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
}
