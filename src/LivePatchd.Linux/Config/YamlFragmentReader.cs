// Bytes of a YAML file → a bounded tree of nodes, through YamlDotNet's event parser: no reflection, no aliases, no tags.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace LivePatchd.Linux.Config;

public sealed class YamlFragmentReader
{
    public const int MaxBytes = 1 << 20;
    public const int MaxDepth = 16;
    public const int MaxNodes = 10_000;

    private readonly string file;
    private readonly Parser parser;
    private readonly ErrorList errors = new();
    private int nodes;

    private YamlFragmentReader(string file, string text)
    {
        this.file = file;
        parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>Never throws, whatever the bytes are; an empty file is an empty map.</summary>
    public static ConfigFragment Read(string file, ReadOnlySpan<byte> yaml)
    {
        if (yaml.Length > MaxBytes)
            return ConfigFragment.Unreadable(file, 0, "the file is larger than 1 MiB");
        if (Utf8Text.Decode(yaml, out var line, out var problem) is not { } text)
            return ConfigFragment.Unreadable(file, line, problem);
        return new YamlFragmentReader(file, text).Read();
    }

    private ConfigFragment Read()
    {
        var root = new MapNode(new ConfigPlace(file, 1), []);
        try
        {
            root = ReadStream() ?? root;
        }
        catch (YamlException e)
        {
            errors.Add(Place(e.Start), "", $"not valid YAML: {ConfigText.Quote(FirstLine(e.Message))[1..^1]}");
        }
        // The parser is not ours, and its input may be anything: a fault in it must cost one file, never the daemon.
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidOperationException or ArithmeticException or IndexOutOfRangeException)
        {
            errors.Add(new ConfigPlace(file, LineOf(parser.Current?.End ?? Mark.Empty)), "", $"not valid YAML ({e.GetType().Name})");
        }
        return new ConfigFragment(file, root, errors.ToImmutable());
    }

    private MapNode? ReadStream()
    {
        MapNode? root = null;
        var documents = 0;
        while (parser.MoveNext())
        {
            switch (parser.Current)
            {
                case DocumentStart start when ++documents > 1:
                    errors.Add(Place(start.Start), "", "a second document begins here; only one is read");
                    return root;
                case NodeEvent or AnchorAlias:
                    var node = ReadNode("", 1);
                    if (node is MapNode map)
                        root = map;
                    else if (node is not (BrokenNode or ScalarNode { IsNull: true }))
                        errors.Add(node.Place, "", $"expected a map of keys, found {node.Kind}");
                    break;
            }
            if (nodes > MaxNodes)
                return root;
        }
        return root;
    }

    /// <summary>Reads the node whose first event is current, to its last event.</summary>
    private ConfigNode ReadNode(string path, int depth)
    {
        var first = parser.Current!;
        var place = Place(first.Start);
        if (++nodes > MaxNodes)
        {
            if (nodes == MaxNodes + 1)
                errors.Add(place, path, $"the file has more than {MaxNodes} values");
            return new BrokenNode(place);
        }
        var refused = Refusal(first, depth);
        if (refused is not null)
            errors.Add(place, path, refused);
        // The scanner's work grows with the square of the depth: of such a file nothing more is read.
        if (depth > MaxDepth && first is (SequenceStart or MappingStart))
            nodes = MaxNodes + 1;
        ConfigNode node = first switch
        {
            Scalar scalar => new ScalarNode(place, scalar.Value, scalar.Style == ScalarStyle.Plain),
            SequenceStart when depth <= MaxDepth => ReadList(place, path, depth),
            MappingStart when depth <= MaxDepth => ReadMap(place, path, depth),
            _ => new BrokenNode(place),
        };
        return refused is null ? node : new BrokenNode(place);
    }

    private static string? Refusal(ParsingEvent node, int depth) => node switch
    {
        AnchorAlias => "aliases (*name) are not allowed",
        NodeEvent { Anchor.IsEmpty: false } => "anchors (&name) are not allowed",
        NodeEvent { Tag.IsEmpty: false } => "tags (!name) are not allowed",
        SequenceStart or MappingStart when depth > MaxDepth => $"nested deeper than {MaxDepth} levels",
        _ => null,
    };

    private ListNode ReadList(ConfigPlace place, string path, int depth)
    {
        var items = ImmutableArray.CreateBuilder<ConfigNode>();
        while (MoveInside<SequenceEnd>())
            items.Add(ReadNode($"{path}[{items.Count}]", depth + 1));
        return new ListNode(place, items.ToImmutable());
    }

    private MapNode ReadMap(ConfigPlace place, string path, int depth)
    {
        var entries = ImmutableArray.CreateBuilder<MapEntry>();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        while (MoveInside<MappingEnd>())
        {
            var key = ReadNode(path, depth + 1);
            if (nodes > MaxNodes || !parser.MoveNext())
                break;
            var name = (key as ScalarNode)?.Text;
            var full = name is null ? path : Join(path, name);
            var value = ReadNode(full, depth + 1);
            if (name is null)
            {
                if (key is not BrokenNode)
                    errors.Add(key.Place, path, $"a key must be a single word, found {key.Kind}");
            }
            else if (!seen.TryAdd(name, key.Place.Line))
                errors.Add(key.Place, full, $"the key is there twice; it was first set in line {seen[name]}");
            else
                entries.Add(new MapEntry(name, key.Place, value));
        }
        return new MapNode(place, entries.ToImmutable());
    }

    /// <summary>Moves to the next event; false at the collection's end, at the end of the text, and once the bound is passed.</summary>
    private bool MoveInside<TEnd>() => nodes <= MaxNodes && parser.MoveNext() && parser.Current is not TEnd;

    private ConfigPlace Place(Mark mark) => new(file, LineOf(mark));

    private static int LineOf(Mark mark) => (int)Math.Clamp(mark.Line, 1, int.MaxValue);

    private static string Join(string path, string key)
    {
        var shown = ConfigText.Quote(key)[1..^1];
        return path.Length == 0 ? shown : $"{path}.{shown}";
    }

    private static string FirstLine(string text) => text.Split('\n', 2)[0];
}
