// What other programs rely on, word for word: the bus interface, the metrics and the tool's JSON.
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LivePatchd.EndToEnd.Tests;

[Collection("metrics")]
public sealed partial class GoldenTests
{
    private static async Task<TestHost> Host()
    {
        var machine = new Machine(complete: true);
        var host = new TestHost { Pressure = machine.Read };
        await host.Start();
        host.Write(TestHost.PatchDirectory + "/lp_one.yaml", "schema: 1\nname: lp_one\nversion: \"1.2\"\ncves: [CVE-2025-12345]\nsha256: " + new Patch("lp_one").Digest + "\n");
        await host.Drop(machine, new Patch("lp_one"));
        host.Write("/proc/sys/kernel/ftrace_enabled", "0\n");
        host.Drop(new Patch("lp_held"));
        await host.Becomes("lp_held", "held");
        await host.Entry(1);
        await Limit.Until(() => host.View.Patch("lp_one")["Impact"] is Dictionary<string, object> { Count: > 0 });
        return host;
    }

    [Fact]
    public async Task The_bus_interface_is_the_one_on_file()
    {
        Assert.SkipUnless(Tool.Exists("busctl"), "busctl is not installed");
        await using var host = await Host();
        await host.View.Job("Apply", "lp_one");
        async Task<string> Busctl(params string[] arguments) =>
            (await Tool.Run(["busctl", $"--address={host.Bus.Address}", "--no-pager", .. arguments])).Exits(0).Output;

        Golden.Check("tree.txt", await Busctl("tree", "--list", "org.livepatchd1"));
        foreach (var (name, path) in new[] { ("manager", "/org/livepatchd1"), ("patch", "/org/livepatchd1/patch/lp_5fone"), ("job", "/org/livepatchd1/job/1"), ("gate", "/org/livepatchd1/gate/io_2dpressure") })
        {
            var lines = (await Busctl("introspect", "--no-legend", "org.livepatchd1", path)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Golden.Check($"introspect-{name}.txt", string.Concat(lines.Select(l => Member(l) + "\n")));
        }
    }

    [Fact]
    public async Task The_metrics_are_the_ones_on_file()
    {
        await using var host = await Host();
        var text = (await Scrape.From(host.MetricsSocket)).Text;
        text = Number().Replace(text, " N");
        text = Digest().Replace(text, "sha256=\"D\"");
        text = Version().Replace(text, "livepatchd_info{version=\"V\"");
        Golden.Check("metrics.txt", text);
    }

    [Theory]
    [InlineData("list")]
    [InlineData("status")]
    [InlineData("plan")]
    [InlineData("gates")]
    [InlineData("blocking")]
    [InlineData("show", "lp_one")]
    [InlineData("history")]
    public async Task The_json_has_the_keys_on_file(string verb, params string[] arguments)
    {
        await using var host = await Host();
        using var json = JsonDocument.Parse((await Tool.Ctl(host, [verb, .. arguments, "--json"])).Exits(0).Output);
        var keys = new SortedSet<string>(StringComparer.Ordinal);
        Walk(json.RootElement, "", keys);
        Golden.Check($"json-{verb}.txt", string.Concat(keys.Select(k => k + "\n")));
    }

    /// <summary>Name, kind, signature and flags; the value of a property is the host's own.</summary>
    private static string Member(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var flags = words.Reverse().TakeWhile(w => w is "-" or "const" or "emits-change" or "emits-invalidation" or "writable" or "deprecated" or "no-reply").Reverse();
        return words[1] == "property" ? $"{words[0]} property {words[2]} {string.Join(' ', flags.Except(["-"]))}" : string.Join(' ', words);
    }

    private static void Walk(JsonElement element, string path, SortedSet<string> keys)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                    Walk(property.Value, path.Length == 0 ? property.Name : $"{path}.{property.Name}", keys);
                break;
            case JsonValueKind.Array:
                foreach (var item in element.EnumerateArray())
                    Walk(item, path + "[]", keys);
                if (element.GetArrayLength() == 0)
                    keys.Add(path + "[]");
                break;
            default:
                keys.Add(path);
                break;
        }
    }

    [GeneratedRegex(" [-+0-9.eE]+( [0-9]+)?$", RegexOptions.Multiline)]
    private static partial Regex Number();

    [GeneratedRegex("sha256=\"[0-9a-f]{12}\"")]
    private static partial Regex Digest();

    [GeneratedRegex("livepatchd_info\\{version=\"[^\"]+\"")]
    private static partial Regex Version();
}
