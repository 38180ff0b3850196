// Holds one file against its schema and reports every difference; nothing is short-circuited.
using System.Globalization;

namespace LivePatchd.Core.Config;

internal sealed class SchemaCheck
{
    private readonly Schema.Map root;
    private readonly ErrorList errors;

    private SchemaCheck(Schema.Map root, ErrorList errors)
    {
        this.root = root;
        this.errors = errors;
    }

    public static void Run(Schema.Map schema, MapNode file, ErrorList errors) =>
        new SchemaCheck(schema, errors).CheckMap(schema, file, "");

    private void Check(Schema schema, ConfigNode node, string path)
    {
        switch (schema, node)
        {
            case (_, BrokenNode):
                break;
            case (Schema.Map map, MapNode entries):
                CheckMap(map, entries, path);
                break;
            case (Schema.Table table, MapNode entries):
                CheckTable(table, entries, path);
                break;
            // A section whose lines are all commented out sets nothing; that is no mistake.
            case (Schema.Map or Schema.Table, ScalarNode { IsNull: true }):
                break;
            case (Schema.List list, ListNode items):
                CheckList(list, items, path);
                break;
            case (Schema.Scalar, ScalarNode { IsNull: true }):
                errors.Add(node.Place, path, "a value is missing");
                break;
            case (Schema.Scalar scalar, ScalarNode value):
                if (scalar.Rule(value.Text) is { } message)
                    errors.Add(node.Place, path, message);
                break;
            default:
                errors.Add(node.Place, path, $"expected {KindOf(schema)}, found {node.Kind}");
                break;
        }
    }

    private void CheckMap(Schema.Map map, MapNode entries, string path)
    {
        foreach (var entry in entries.Entries)
        {
            var key = map.Keys.FirstOrDefault(k => k.Name == entry.Key);
            if (key is not null)
                Check(key.Value, entry.Value, KeySuggestion.Join(path, key.Name));
            else
                ReportUnknown(map, entry, path);
        }
        foreach (var key in map.Keys)
        {
            if (key.Required && entries.Find(key.Name) is null)
                errors.Add(entries.Place, KeySuggestion.Join(path, key.Name), "this key is required here");
        }
    }

    private void ReportUnknown(Schema.Map map, MapEntry entry, string path)
    {
        // Thousands of unknown keys would each be held against every known one, for a sentence that nobody sees.
        if (errors.IsFull)
            return;
        var shown = ConfigText.Quote(entry.Key)[1..^1];
        errors.Add(entry.Place, KeySuggestion.Join(path, shown), $"unknown key; {KeySuggestion.For(entry.Key, path, map, root)}");
    }

    private void CheckTable(Schema.Table table, MapNode entries, string path)
    {
        if (entries.Entries.Length > table.Max)
            errors.Add(entries.Place, path, $"at most {table.Max} entries are allowed, found {entries.Entries.Length}");
        foreach (var entry in entries.Entries)
        {
            if (table.Key(entry.Key) is { } message)
                errors.Add(entry.Place, path, message);
            else
                Check(new Schema.Scalar(table.Value), entry.Value, KeySuggestion.Join(path, entry.Key));
        }
    }

    private void CheckList(Schema.List list, ListNode items, string path)
    {
        if (items.Items.Length < list.Min)
            errors.Add(items.Place, path, $"at least {list.Min} {(list.Min == 1 ? "entry is" : "entries are")} needed");
        if (items.Items.Length > list.Max)
            errors.Add(items.Place, path, $"at most {list.Max} entries are allowed, found {items.Items.Length}");
        for (var i = 0; i < items.Items.Length; i++)
            Check(list.Item, items.Items[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"));
    }

    private static string KindOf(Schema schema) => schema switch
    {
        Schema.Map map => $"a map of keys ({string.Join(", ", map.Keys.Select(k => k.Name))})",
        Schema.Table => "a map of names to values",
        Schema.List => "a list, such as [a, b]",
        _ => "a single value",
    };
}
