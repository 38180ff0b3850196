// Laying fragments over each other: maps merge, the rest is replaced, and places stay with their values.
using CsCheck;
using LivePatchd.Core.Config;

namespace LivePatchd.Core.Tests.Config;

public sealed class ConfigMergeTests
{
    private static readonly ConfigPlace Low = new("low", 1);
    private static readonly ConfigPlace High = new("high", 2);

    /// <summary>As under a schema, a key is always a section (x, y) or always a value (a, b): only then can merging be associative.</summary>
    private static readonly Gen<MapNode> Tree = Gen.Recursive<MapNode>((depth, inner) =>
        Gen.Select(
            Gen.Select(Gen.OneOf(Gen.Const("a"), Gen.Const("b")), Gen.Int[0, 99], (key, n) => (key, value: (ConfigNode)Text(Low, $"v{n}"))).Array[0, 3],
            (depth > 3 ? Gen.Const(Map(Low)) : inner).Select(Gen.OneOf(Gen.Const("x"), Gen.Const("y")), (map, key) => (key, value: (ConfigNode)map)).Array[0, 2],
            (values, sections) => Map(Low, [.. values.Concat(sections).DistinctBy(e => e.key)])));

    [Fact]
    public void Maps_merge_by_key_and_values_keep_their_place()
    {
        var merged = ConfigMerge.All(
        [
            Map(Low, ("metrics", Map(Low, ("listen", Text(Low, "off")), ("unix-socket", Text(Low, "/a"))))),
            Map(High, ("metrics", Map(High, ("unix-socket", Text(High, "/b"))))),
        ]);
        Assert.Equal(Text(Low, "off"), ConfigPath.Find(merged, "metrics.listen")!.Value);
        Assert.Equal(Text(High, "/b"), ConfigPath.Find(merged, "metrics.unix-socket")!.Value);
    }

    [Fact]
    public void Lists_are_replaced()
    {
        var merged = ConfigMerge.All(
        [
            Map(Low, ("directories", new ListNode(Low, [Text(Low, "/a"), Text(Low, "/b")]))),
            Map(High, ("directories", new ListNode(High, [Text(High, "/c")]))),
        ]);
        Assert.Equal([Text(High, "/c")], ((ListNode)merged.Find("directories")!.Value).Items);
    }

    [Fact]
    public void An_empty_section_wipes_nothing_out()
    {
        var section = Map(Low, ("listen", Text(Low, "off")));
        var merged = ConfigMerge.All([Map(Low, ("metrics", section)), Map(High, ("metrics", new ScalarNode(High, "", true)))]);
        Assert.Equal("off", ((ScalarNode)ConfigPath.Find(merged, "metrics.listen")!.Value).Text);
    }

    [Fact]
    public void An_unreadable_value_does_not_replace_a_readable_one()
    {
        var merged = ConfigMerge.All([Map(Low, ("mode", Text(Low, "observe"))), Map(High, ("mode", new BrokenNode(High)))]);
        Assert.Equal("observe", ((ScalarNode)merged.Find("mode")!.Value).Text);
    }

    [Fact]
    public void Merging_a_tree_with_itself_or_with_nothing_changes_no_value() =>
        Tree.Sample(tree =>
        {
            var once = ConfigText.Render(ConfigMerge.All([tree]));
            Assert.Equal(once, ConfigText.Render(ConfigMerge.All([tree, tree])));
            Assert.Equal(once, ConfigText.Render(ConfigMerge.All([tree, Map(High)])));
        });

    [Fact]
    public void Merging_is_associative() =>
        Gen.Select(Tree, Tree, Tree).Sample((a, b, c) =>
            Assert.Equal(
                ConfigText.Render(ConfigMerge.All([a, b, c])),
                ConfigText.Render(ConfigMerge.All([a, ConfigMerge.All([b, c])]))));

    private static ScalarNode Text(ConfigPlace place, string text) => new(place, text, Plain: true);

    private static MapNode Map(ConfigPlace place, params (string Key, ConfigNode Value)[] entries) =>
        new(place, [.. entries.Select(e => new MapEntry(e.Key, place, e.Value))]);
}
