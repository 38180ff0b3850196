// A tree written in YAML's one-line style is read back as that tree, whatever its texts hold.
using System.Collections.Immutable;
using System.Text;
using CsCheck;
using LivePatchd.Core.Config;
using LivePatchd.Linux.Config;

namespace LivePatchd.Linux.Tests.Config;

public sealed class YamlReadBackTests
{
    private static readonly ConfigPlace Place = new("some.yaml", 1);

    // What YAML gives a meaning to, plain letters, and any character that is no half of another.
    private static readonly Gen<string> Text = Gen.OneOf(
        Gen.String[Gen.Char["abcxyz0189:#-?,[]{}&*!|>'\"%@`~ \t\n\\/._="], 0, 20],
        Gen.String[Gen.OneOf(Gen.Char['\u0001', '\ud7ff'], Gen.Char['\ue000', '\ufffd']), 0, 20],
        Gen.Int[0x10000, 0x10ffff].Select(char.ConvertFromUtf32),
        Gen.String[Gen.Char["0123456789.-+e"], 0, 8]);

    private static readonly Gen<ConfigNode> Node = Gen.Recursive<ConfigNode>(static (depth, inner) =>
    {
        var scalar = Text.Select(static t => (ConfigNode)new ScalarNode(Place, t, Plain: false));
        return depth >= 4 ? scalar : Gen.OneOf(
            scalar,
            inner.Array[0, 4].Select(static items => (ConfigNode)new ListNode(Place, [.. items])),
            Gen.Select(Text, inner).Array[0, 4].Select(static entries => (ConfigNode)Map(entries)));
    });

    [Fact]
    public void What_is_rendered_is_read() => Gen.Select(Text, Node).Array[0, 3].Sample(entries =>
    {
        var root = Map(entries);
        var yaml = ConfigText.Render(root);
        var read = YamlFragmentReader.Read("some.yaml", Encoding.UTF8.GetBytes(yaml));
        Assert.True(read.Errors.IsEmpty, $"{yaml}: {string.Join("; ", read.Errors)}");
        Assert.Equal(Shown(root), Shown(read.Root));
        Assert.True(ConfigText.IsOneLine(yaml));
    });

    private static MapNode Map((string Key, ConfigNode Value)[] entries) =>
        new(Place, [.. entries.DistinctBy(static e => e.Key).Select(static e => new MapEntry(e.Key, Place, e.Value))]);

    private static string Shown(ConfigNode node) => node switch
    {
        ListNode list => $"[{string.Join(",", list.Items.Select(Shown))}]",
        MapNode map => $"{{{string.Join(",", map.Entries.Select(static e => $"{Hex(e.Key)}={Shown(e.Value)}"))}}}",
        ScalarNode scalar => Hex(scalar.Text),
        _ => "broken",
    };

    private static string Hex(string text) => Convert.ToHexString(Encoding.BigEndianUnicode.GetBytes(text));
}
