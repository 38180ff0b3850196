// `livepatchctl config`: the daemon's own program reads the files, so both say the same of them.
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
    public async Task Without_the_daemon_s_program_it_says_so()
    {
        await using var host = new TestHost(startBus: false);
        Assert.EndsWith(
            "livepatchctl: config check: /nowhere/livepatchd: No such file or directory; install livepatchd; the tool asks its program\n",
            (await Tool.Ctl(host, "config", "check", "--program", "/nowhere/livepatchd")).Exits(1).Error, StringComparison.Ordinal);
        Assert.Contains("'show' is not cat or check", (await Tool.Ctl(host, "config", "show")).Exits(2).Error, StringComparison.Ordinal);
    }

    private static Task<ToolResult> Config(TestHost host, string action)
    {
        // As it is installed: a program that stands for itself.
        var program = Path.Combine(host.Directory, "livepatchd");
        File.WriteAllText(program, $"#!/bin/sh\nexec dotnet {Tool.DaemonDll} \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return Tool.Ctl(host, "config", action, "--program", program, "--root", host.Directory);
    }
}
