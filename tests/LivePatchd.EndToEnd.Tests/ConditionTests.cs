// Every abnormal state of a host on every surface: the table is printed, and each cell is held against what it must say.
using System.Runtime.InteropServices;
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Tests;

namespace LivePatchd.EndToEnd.Tests;

[Collection("metrics")]
public sealed class ConditionTests : IDisposable
{
    private const string Watched = "/var/lib/livepatchd/patches";
    private const string ConfigFile = "/etc/livepatchd/livepatchd.yaml";

    private readonly List<IDisposable> held = [];

    [Theory]
    [InlineData("hold", "operator-hold", "the array is being rebuilt", 3)]
    [InlineData("inhibitor", "inhibited", "backup: tape 3", 0)]
    [InlineData("observe mode", "observe-mode", "mode: observe", 3)]
    [InlineData("kill switch", "disabled", "/etc/livepatchd/disabled", 3)]
    [InlineData("no configuration", "config-invalid", "modee", 6)]
    [InlineData("refused configuration", "config-refused", "generation 1 stays in force", 6)]
    [InlineData("misspelt path", "directory-unreadable", "/var/lib/livpatchd: it does not exist (ENOENT)", 6)]
    [InlineData("symlinked release", "directory-unreadable", "symbolic link", 6)]
    [InlineData("too many files", "directory-unreadable", "more than 1000 patch files", 6)]
    [InlineData("no livepatch", "livepatch-absent", "", 4)]
    [InlineData("no privilege", "no-privilege", "", 4)]
    [InlineData("boot that hangs", "boot-stuck", "the boot waits for hangs.service/start", 0)]
    [InlineData("damaged journal", "journal-unreadable", "", 3)]
    public async Task AnAbnormalState_OnEverySurface_IsShown(string state, string reason, string detail, int checkCode)
    {
        await using var host = new TestHost();
        await Bring(host, state);
        await Limit.Until(() => Conditions(host).Any(c => c.Reason.Word() == reason), () => host.Log.Text);
        var cells = new Dictionary<string, string>
        {
            ["bus"] = string.Join("; ", Conditions(host)),
            ["status"] = (await Tool.Ctl(host, "status")).Exits(0).Output,
            ["list"] = (await Tool.Ctl(host, "list")).Exits(0).Output,
            ["plan"] = (await Tool.Ctl(host, "plan")).Exits(0).Output,
            ["check"] = (await Tool.Ctl(host, "check")).Exits(checkCode).Output,
            ["STATUS="] = host.StatusLine,
        };
        foreach (var verb in new[] { "status", "list", "plan", "check" })
        {
            var text = (await Tool.Ctl(host, verb, "--json")).Output;
            SchemaValidator.Validate($"{verb}.json", text);
            using var document = JsonDocument.Parse(text);
            cells[$"{verb} --json"] = string.Join("; ", document.RootElement.GetProperty("conditions").EnumerateArray().Select(static c => $"{c.GetProperty("reason").GetString()}: {c.GetProperty("detail").GetString()}"));
        }
        var scrape = await Scrape.From(host.MetricsSocket);
        TestContext.Current.TestOutputHelper?.WriteLine($"{state}:");
        foreach (var (surface, said) in cells)
        {
            var flat = string.Join(' ', said.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
            TestContext.Current.TestOutputHelper?.WriteLine($"  {surface,-14} {flat[..Math.Min(160, flat.Length)]}");
            // systemd shows a sentence where nothing can be patched at all.
            if (surface == "STATUS=" && checkCode == 4)
                Assert.StartsWith("Unsupported: ", flat, StringComparison.Ordinal);
            else
                Assert.Contains(reason, flat, StringComparison.Ordinal);
            if (detail.Length > 0)
                Assert.Contains(detail, flat, StringComparison.Ordinal);
        }
        foreach (var row in HostConditions.Table)
            Assert.Equal(row.Reason.Word() == reason ? 1 : null, scrape.Value("livepatchd_host_condition", $"reason=\"{row.Reason.Word()}\""));
    }

    [Fact]
    public async Task AnOrdinaryHost_OnEverySurface_HasNothingToShow()
    {
        await using var host = await TestHost.Started();
        Assert.Empty(Conditions(host));
        Assert.Equal("", (await Tool.Ctl(host, "check")).Exits(0).Output);
        Assert.DoesNotContain("Attention", (await Tool.Ctl(host, "status")).Exits(0).Output, StringComparison.Ordinal);
        Assert.Equal("No patches", host.StatusLine);
    }

    [Theory]
    [InlineData("misspelt path", "it does not exist (ENOENT)")]
    [InlineData("symlinked release", "symbolic link")]
    [InlineData("too many files", "more than 1000 patch files")]
    public async Task ADirectoryThatCannotBeRead_InConfigCheck_IsAnError(string state, string why)
    {
        await using var host = new TestHost(startBus: false);
        Prepare(host, state);
        var run = (await Tool.Daemon("--check-config", "--root", host.Directory)).Exits(1);
        Assert.Contains("directories: ", run.Output, StringComparison.Ordinal);
        Assert.Contains(why, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FilesThatAreNoPatches_CountTowardsNoLimit()
    {
        await using var host = new TestHost();
        for (var i = 0; i < 1100; i++)
            host.Write($"{TestHost.PatchDirectory}/notes-{i}.txt", "");
        host.Drop(new Patch("lp_one"));
        await host.Start();
        await host.Becomes("lp_one", "active");
        Assert.Empty(Conditions(host));
    }

    public void Dispose() => held.ForEach(static h => h.Dispose());

    private async Task Bring(TestHost host, string state)
    {
        Prepare(host, state);
        if (state == "boot that hangs")
        {
            var systemd = new FakeSystemd(host.Bus);
            held.Add(systemd);
            systemd.Boots(jobs: "hangs.service/start/running");
        }
        await host.Start();
        switch (state)
        {
            case "hold":
                BusView.Value(host.View.Hold("the array is being rebuilt"));
                break;
            case "inhibitor":
                held.Add(BusView.Value(host.View.Inhibit("backup", "tape 3")));
                break;
            case "refused configuration":
                host.Write(ConfigFile, "modee: apply\n");
                host.Hangup();
                break;
        }
    }

    private static void Prepare(TestHost host, string state)
    {
        var release = host.Root.Path(TestHost.PatchDirectory);
        switch (state)
        {
            case "observe mode":
                host.Configure("mode: observe\n");
                break;
            case "kill switch":
                host.Write("/etc/livepatchd/disabled", "");
                break;
            case "no configuration":
                host.Write(ConfigFile, "metrics: {listen: off}\nmodee: apply\n");
                break;
            case "misspelt path":
                host.Configure("directories: [{path: /var/lib/livpatchd}]\n");
                break;
            case "symlinked release":
                Directory.Move(release, host.Root.Path("/var/lib/elsewhere"));
                Directory.CreateSymbolicLink(release, host.Root.Path("/var/lib/elsewhere"));
                host.Configure($"directories: [{{path: {Watched}}}]\n");
                break;
            case "too many files":
                for (var i = 0; i <= UnreadableDirectory.MaxPatchFiles; i++)
                    File.WriteAllText($"{release}/lp_{i}.ko", "");
                break;
            case "no livepatch":
                Directory.Delete(host.Root.Path("/sys/kernel/livepatch"));
                break;
            case "no privilege":
                host.Write("/proc/self/status", "Name:\tlivepatchd\nCapEff:\t0000000000000000\n");
                break;
            case "boot that hangs":
                host.Configure("boot: {wait: 0s}\n");
                break;
            case "damaged journal":
                host.Write(TestHost.JournalPath, "no state log\n");
                break;
        }
    }

    private static List<HostCondition> Conditions(TestHost host) =>
    [
        .. ((object[])host.View.Manager()["Conditions"]).Cast<object[]>()
            .Select(static c => new HostCondition(ReasonTable.Parse((string)c[0])!.Reason, (string)c[1])),
    ];
}
