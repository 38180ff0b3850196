// `livepatchctl config`: the daemon's own program reads the files, so both say the same of them.
using System.Text.Json;
using LivePatchd.Ctl.Tests;

namespace LivePatchd.EndToEnd.Tests;

public sealed class ConfigVerbTests
{
    [Fact]
    public async Task What_is_in_force_is_shown_with_the_file_that_set_it()
    {
        await using var host = new TestHost(startBus: false);
        host.Write("/etc/livepatchd/livepatchd.yaml", "mode: observe\ngates: {settle: 3m}\n");
        host.Write("/etc/livepatchd/livepatchd.yaml.d/50-site.yaml", "soak:\n  duration: 20m\n");
        var shown = (await Config(host, "cat")).Exits(0).Output;
        var file = host.Root.Path("/etc/livepatchd/livepatchd.yaml");
        Assert.StartsWith($"# {file}\nmode: observe  # line 1\ngates.settle: 3m  # line 2\n\n# {file}.d/50-site.yaml\nsoak.duration: 20m  # line 2\n\n# defaults\n", shown, StringComparison.Ordinal);
        Assert.Contains("\nsoak.confirm: automatic\n", shown, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_are_told_by_place_and_are_exit_code_1()
    {
        await using var host = new TestHost(startBus: false);
        Assert.Equal("", (await Config(host, "check")).Exits(0).Output);
        host.Write("/etc/livepatchd/livepatchd.yaml", "modee: apply\n");
        var place = host.Root.Path("/etc/livepatchd/livepatchd.yaml") + ":1: modee: ";
        Assert.StartsWith(place, (await Config(host, "check")).Exits(1).Output, StringComparison.Ordinal);
        var shown = (await Config(host, "cat")).Exits(1);
        Assert.StartsWith(place, shown.Error, StringComparison.Ordinal);
        Assert.Contains("mode: apply", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_and_their_origins_as_json()
    {
        await using var host = new TestHost(startBus: false);
        host.Write("/etc/livepatchd/livepatchd.yaml", "mode: observe\n");
        host.Write("/etc/livepatchd/livepatchd.yaml.d/50-site.yaml", "\nsoak:\n  duration: 20m\n");
        var text = (await Config(host, "cat", "--json")).Exits(0).Output;
        SchemaValidator.Validate("config-cat.json", text);
        using var shown = JsonDocument.Parse(text);
        Assert.True(shown.RootElement.GetProperty("ok").GetBoolean());
        var file = host.Root.Path("/etc/livepatchd/livepatchd.yaml");
        Assert.Equal(("observe", file, 1), Key(shown, "mode"));
        Assert.Equal(("20m", file + ".d/50-site.yaml", 3), Key(shown, "soak.duration"));
        Assert.Equal(("automatic", null, null), Key(shown, "soak.confirm"));
        // As many as the text has.
        var lines = (await Config(host, "cat")).Exits(0).Output.Split('\n').Count(static l => l.Length > 0 && l[0] != '#');
        Assert.Equal(lines, shown.RootElement.GetProperty("keys").GetArrayLength());
    }

    [Fact]
    public async Task Problems_as_json()
    {
        await using var host = new TestHost(startBus: false);
        var good = (await Config(host, "check", "--json")).Exits(0).Output;
        SchemaValidator.Validate("config-check.json", good);
        using (var checkedGood = JsonDocument.Parse(good))
        {
            Assert.True(checkedGood.RootElement.GetProperty("ok").GetBoolean());
            Assert.Equal(0, checkedGood.RootElement.GetProperty("problems").GetArrayLength());
        }

        host.Write("/etc/livepatchd/livepatchd.yaml", "modee: apply\nsoak:\n  confirm: automatik\ngates: {settle: soon}\n");
        host.Write("/etc/livepatchd/livepatchd.yaml.d/50-site.yml", "mode: apply\n");
        var bad = (await Config(host, "check", "--json")).Exits(1);
        Assert.Equal("", bad.Error);
        SchemaValidator.Validate("config-check.json", bad.Output);
        using var found = JsonDocument.Parse(bad.Output);
        Assert.False(found.RootElement.GetProperty("ok").GetBoolean());
        var problems = found.RootElement.GetProperty("problems").EnumerateArray()
            .Select(static p => (Text(p, "severity"), Text(p, "key"), Number(p, "line"), Text(p, "suggestion"))).ToList();
        Assert.Equal(
            [("error", "modee", 1, "mode"), ("error", "soak.confirm", 3, "automatic"), ("error", "gates.settle", 4, null), ("warning", null, null, null)],
            problems);
        Assert.EndsWith("/50-site.yml", Text(found.RootElement.GetProperty("problems")[3], "file"), StringComparison.Ordinal);
        var lines = (await Config(host, "check")).Exits(1).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(
            found.RootElement.GetProperty("problems").EnumerateArray().Zip(lines),
            static pair => Assert.EndsWith(Text(pair.First, "message")!, pair.Second, StringComparison.Ordinal));

        var shown = (await Config(host, "cat", "--json")).Exits(1);
        SchemaValidator.Validate("config-cat.json", shown.Output);
        Assert.Contains(":1: modee: ", shown.Error, StringComparison.Ordinal);
        using var inForce = JsonDocument.Parse(shown.Output);
        Assert.False(inForce.RootElement.GetProperty("ok").GetBoolean());
    }

    [Fact]
    public async Task Without_the_daemon_s_program_it_says_so()
    {
        await using var host = new TestHost(startBus: false);
        Assert.EndsWith(
            "livepatchctl: config check: /nowhere/livepatchd: No such file or directory; install livepatchd; the tool asks its program\n",
            (await Tool.Ctl(host, "config", "check", "--program", "/nowhere/livepatchd")).Exits(1).Error, StringComparison.Ordinal);
        Assert.Contains("'show' is not cat or check", (await Tool.Ctl(host, "config", "show")).Exits(2).Error, StringComparison.Ordinal);
    }

    private static (string? Value, string? File, int? Line) Key(JsonDocument shown, string name)
    {
        var key = Assert.Single(shown.RootElement.GetProperty("keys").EnumerateArray(), k => Text(k, "key") == name);
        return (Text(key, "value"), Text(key, "file"), Number(key, "line"));
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    private static int? Number(JsonElement element, string name) =>
        element.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetInt32() : null;

    private static Task<ToolResult> Config(TestHost host, string action, params string[] options)
    {
        // As it is installed: a program that stands for itself.
        var program = Path.Combine(host.Directory, "livepatchd");
        File.WriteAllText(program, $"#!/bin/sh\nexec dotnet {Tool.DaemonDll} \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return Tool.Ctl(host, ["config", action, .. options, "--program", program, "--root", host.Directory]);
    }
}
