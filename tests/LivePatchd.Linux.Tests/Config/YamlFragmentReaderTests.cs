// The YAML reader on good, bad and hostile bytes: it never throws, never hangs, and always says where.
using System.Text;
using CsCheck;
using LivePatchd.Core.Config;
using LivePatchd.Linux.Config;

namespace LivePatchd.Linux.Tests.Config;

public sealed class YamlFragmentReaderTests
{
    /// <summary>Far above what any bounded file needs: it only ends a test that would never end.</summary>
    private const int HangLimit = 60_000;

    private const string Sample =
        """
        # comment
        mode: apply
        directories: [{path: /a}, {path: "/b", read-only: true}]
        transition:
          report-after: 15s
          backoff: {first: 5m, max: 6h}
        metrics:
          listen: '127.0.0.1:9817'
        """;

    [Fact]
    public void Reads_scalars_lists_and_maps_with_their_lines()
    {
        var fragment = Read(Sample);
        Assert.Empty(fragment.Errors);
        Assert.Equal(["mode", "directories", "transition", "metrics"], fragment.Root.Entries.Select(e => e.Key));
        Assert.Equal([2, 3, 4, 7], fragment.Root.Entries.Select(e => e.Place.Line));
        var transition = Assert.IsType<MapNode>(fragment.Root.Find("transition")!.Value);
        Assert.Equal(5, transition.Find("report-after")!.Place.Line);
        var listen = Assert.IsType<ScalarNode>(((MapNode)fragment.Root.Find("metrics")!.Value).Find("listen")!.Value);
        Assert.Equal(("127.0.0.1:9817", false, 8), (listen.Text, listen.Plain, listen.Place.Line));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("# only a comment\n")]
    [InlineData("---\n")]
    [InlineData("---\n...\n")]
    [InlineData("~\n")]
    [InlineData("\uFEFF")]
    public void An_empty_file_is_an_empty_map(string yaml)
    {
        var fragment = Read(yaml);
        Assert.Empty(fragment.Errors);
        Assert.Empty(fragment.Root.Entries);
    }

    [Fact]
    public void A_byte_order_mark_is_passed_over()
    {
        var fragment = Read("\uFEFFmode: apply\n");
        Assert.Empty(fragment.Errors);
        Assert.Equal("mode", Assert.Single(fragment.Root.Entries).Key);
    }

    [Theory]
    [InlineData("mode: &a apply\n", 1, "mode", "anchors")]
    [InlineData("a: 1\nmode: *a\n", 2, "mode", "aliases")]
    [InlineData("mode: !!str apply\n", 1, "mode", "tags")]
    [InlineData("mode: ! apply\n", 1, "mode", "tags")]
    [InlineData("mode: apply\nx: 1\nmode: observe\n", 3, "mode", "twice")]
    [InlineData("metrics: {listen: off, listen: off}\n", 1, "metrics.listen", "twice")]
    [InlineData("- a\n- b\n", 1, "", "expected a map")]
    [InlineData("just words\n", 1, "", "expected a map")]
    [InlineData("mode: apply\n---\nmode: observe\n", 2, "", "second document")]
    [InlineData("? [a, b]\n: c\n", 1, "", "a key must be a single word")]
    [InlineData("mode: [apply\n", 2, "", "not valid YAML")]
    [InlineData("a: 1\nmode: \"apply\n", 2, "", "not valid YAML")]
    [InlineData("a: b: c\n", 1, "", "not valid YAML")]
    [InlineData("a: 1\nb: \u0007\n", 2, "", "control character U+0007")]
    [InlineData("a: 1\r\nb: \0\n", 2, "", "control character U+0000")]
    public void Refuses_with_place_and_reason(string yaml, int line, string key, string message)
    {
        var error = Read(yaml).Errors[0];
        Assert.Equal(("test.yaml", line, key), (error.File, error.Line, error.Key));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_an_error_with_their_line()
    {
        var error = Assert.Single(YamlFragmentReader.Read("test.yaml", [.. "a: 1\nb: "u8, 0xC3, 0x28]).Errors);
        Assert.Equal(2, error.Line);
        Assert.Contains("not UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_goes_on_after_an_error_in_one_value()
    {
        var fragment = Read("a: *x\nb: !t 1\nc: &y {d: 1}\nmode: apply\n");
        Assert.Equal([1, 2, 3], fragment.Errors.Select(e => e.Line));
        Assert.Equal("apply", ((ScalarNode)fragment.Root.Find("mode")!.Value).Text);
    }

    [Fact]
    public void Depth_is_bounded_at_its_limit()
    {
        Assert.Empty(Read($"a: {new string('[', YamlFragmentReader.MaxDepth - 1)}{new string(']', YamlFragmentReader.MaxDepth - 1)}\n").Errors);
        Assert.Contains("deeper than 16", Assert.Single(Read($"a: {new string('[', 16)}{new string(']', 16)}\nmode: apply\n").Errors).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_number_of_values_is_bounded()
    {
        var error = Assert.Single(Read($"a: [{string.Join(",", Enumerable.Repeat("1", 20_000))}]\n").Errors);
        Assert.Contains("more than 10000 values", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_size_is_bounded()
    {
        Assert.Empty(YamlFragmentReader.Read("f", Encoding.UTF8.GetBytes("#" + new string('x', YamlFragmentReader.MaxBytes - 1))).Errors);
        Assert.Contains("larger than 1 MiB", Assert.Single(YamlFragmentReader.Read("f", new byte[YamlFragmentReader.MaxBytes + 1]).Errors).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Bombs =>
    [
        "a: &a [x,x,x,x,x,x,x,x,x]\n" + string.Concat("bcdefghi".Select((c, i) => $"{c}: &{c} [{string.Join(",", Enumerable.Repeat($"*{(char)('a' + i)}", 9))}]\n")),
        "a: " + new string('[', 500_000),
        "a: " + new string('{', 500_000),
        string.Concat(Enumerable.Repeat("{a: ", 200_000)),
        string.Concat(Enumerable.Repeat("- ", 500_000)),
        string.Concat(Enumerable.Range(0, 700).Select(i => new string(' ', i) + "a:\n")),
        string.Concat(Enumerable.Repeat("? ", 500_000)),
        new string('a', 1_000_000) + ": b\n",
        string.Concat(Enumerable.Range(0, 90_000).Select(i => $"k{i}: 1\n")),
        string.Concat(Enumerable.Repeat("a: 1\n", 200_000)),
        "a: \"" + string.Concat(Enumerable.Repeat("\\x41", 250_000)) + "\"\n",
        "a: |\n" + string.Concat(Enumerable.Repeat("  x\n", 250_000)),
        string.Concat(Enumerable.Repeat("---\n", 250_000)),
        new string('!', 1_000_000),
        new string('&', 1_000_000),
        new string('%', 1_000_000),
        new string('\t', 1_000_000),
        "a: !" + new string('x', 1_000_000),
        new string('\n', 1_000_000),
        string.Concat(Enumerable.Repeat("a, ", 300_000)),
        string.Concat(Enumerable.Repeat(": ", 500_000)),
        "[" + string.Concat(Enumerable.Repeat("a: b, ", 150_000)),
    ];

    [Theory(Timeout = HangLimit)]
    [MemberData(nameof(Bombs), DisableDiscoveryEnumeration = true)]
    public Task Bombs_are_refused_in_bounded_work(string yaml) => Task.Run(() =>
    {
        var bytes = Encoding.UTF8.GetBytes(yaml);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var result = SettingsBuilder.Build([YamlFragmentReader.Read("bomb", bytes)]);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(result.Errors.Length, yaml.Trim().Length == 0 ? 0 : 1, 3 * (ErrorList.MaxErrors + 1));
        Assert.InRange(allocated, 0, 256L << 20);
    }, TestContext.Current.CancellationToken);

    [Fact(Timeout = HangLimit)]
    public Task Random_bytes_never_throw() => Task.Run(() => Gen.Byte.Array[0, 400].Sample(AssertTotal), TestContext.Current.CancellationToken);

    [Fact(Timeout = HangLimit)]
    public Task Random_YAML_characters_never_throw() => Task.Run(
        () => Gen.String[Gen.Char["ab01:-,[]{}#&*!|>'\"%@`?~ \n\t\r\\\uFEFF\u0085\u2028é"], 0, 80].Sample(t => AssertTotal(Encoding.UTF8.GetBytes(t)), iter: 20_000),
        TestContext.Current.CancellationToken);

    [Fact(Timeout = HangLimit)]
    public Task Mutated_configuration_never_throws() => Task.Run(
        () =>
        {
            var original = Encoding.UTF8.GetBytes(Sample);
            var mutation = Gen.Select(Gen.Int[0, 2], Gen.Int[0, original.Length - 1], Gen.Byte);
            mutation.Array[1, 8].Sample(
                mutations =>
                {
                    var bytes = original.ToList();
                    foreach (var (kind, at, value) in mutations)
                    {
                        var place = Math.Min(at, bytes.Count - 1);
                        if (kind == 0)
                            bytes[place] = value;
                        else if (kind == 1)
                            bytes.Insert(place, value);
                        else
                            bytes.RemoveAt(place);
                    }
                    AssertTotal([.. bytes]);
                },
                iter: 20_000);
        },
        TestContext.Current.CancellationToken);

    /// <summary>Reads as configuration and as manifest; every message is one line with a place inside the file.</summary>
    private static void AssertTotal(byte[] bytes)
    {
        var lines = bytes.Count(b => b == (byte)'\n' || b == (byte)'\r') + Encoding.UTF8.GetString(bytes).Count(c => c is '\u0085' or '\u2028' or '\u2029') + 1;
        var config = SettingsBuilder.Build([YamlFragmentReader.Read("f", bytes)]);
        var manifest = ManifestReader.Read("f", bytes);
        Assert.Equal(manifest.Errors.IsEmpty, manifest.Manifest is not null);
        Assert.All([.. config.Errors, .. manifest.Errors], e =>
        {
            Assert.InRange(e.Line, 1, lines + 1);
            Assert.True(ConfigText.IsOneLine(e.ToString()));
            Assert.NotEmpty(e.Message);
        });
    }

    private static ConfigFragment Read(string yaml) => YamlFragmentReader.Read("test.yaml", Encoding.UTF8.GetBytes(yaml));
}
