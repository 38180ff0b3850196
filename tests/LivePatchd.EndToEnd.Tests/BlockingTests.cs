// A transition that hangs: who blocks it is named on every surface, and only who has seen that may force it.
using System.Globalization;
using System.Text.Json;

namespace LivePatchd.EndToEnd.Tests;

[Collection("metrics")]
public sealed class BlockingTests
{
    private static async Task<TestHost> Stalled(bool overdue = true)
    {
        var host = await TestHost.Started();
        host.Kernel.Busy = true;
        Task(host, 500, "1\n", "init.scope");
        Task(host, 501, "0\n", "db.service", stack: "[<0>] schedule+0x1/0x2\n[<0>] cmdline_proc_show+0x1/0x2\n");
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "transitioning");
        if (overdue)
        {
            host.Time.Skip(TimeSpan.FromSeconds(16));
            await host.Becomes("lp_one", "stalled", "transition-overdue");
        }
        return host;
    }

    [Fact]
    public async Task The_blocker_is_named_with_its_unit_pid_and_function()
    {
        await using var host = await Stalled();
        var json = await Report(host);
        var blocker = Assert.Single(json.GetProperty("blockers").EnumerateArray());
        Assert.Equal(
            ("db.service", 501, "task 501", "cmdline_proc_show", "D", 1000),
            (blocker.GetProperty("unit").GetString(), blocker.GetProperty("pid").GetInt32(), blocker.GetProperty("comm").GetString(),
                blocker.GetProperty("function").GetString(), blocker.GetProperty("state").GetString(), blocker.GetProperty("uid").GetInt32()));
        Assert.Equal((2, 1, 1), (json.GetProperty("tasks_total").GetInt32(), json.GetProperty("tasks_switched").GetInt32(), json.GetProperty("pending").GetInt32()));
        Assert.Equal("enable", json.GetProperty("transition").GetProperty("direction").GetString());
        using var shown = JsonDocument.Parse((await Tool.Ctl(host, "blocking", "--json")).Exits(0).Output);
        Assert.Equal(501, shown.RootElement.GetProperty("blockers")[0].GetProperty("pid").GetInt32());
        Assert.Contains("db.service", (await Tool.Ctl(host, "blocking")).Exits(0).Output, StringComparison.Ordinal);

        Assert.Equal(1, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_stalled_tasks"));
        Assert.Equal((2u, 1u), (host.View.Manager()["TransitionTasksTotal"], host.View.Manager()["TransitionTasksSwitched"]));
        var fields = (object[])Assert.Single((object[])host.View.Patch("lp_one")["Blockers"]);
        Assert.Equal([0u, 0u, "", "D", "db.service", uint.MaxValue], fields[..6]);
        // Which task, and whose, is for root; how many, of which unit, and where they are, for everybody.
        using var nobody = new BusView(UserClient.Connect(host.Bus, UserClient.Nobody));
        using var told = JsonDocument.Parse(BusView.Value(nobody.Call("Blocking")));
        var hidden = Assert.Single(told.RootElement.GetProperty("blockers").EnumerateArray());
        Assert.Equal(
            (0, "", JsonValueKind.Null, "db.service", "cmdline_proc_show"),
            (hidden.GetProperty("pid").GetInt32(), hidden.GetProperty("comm").GetString(), hidden.GetProperty("uid").ValueKind,
                hidden.GetProperty("unit").GetString(), hidden.GetProperty("function").GetString()));
        BusView.Refused(nobody.Call("BlockingTasks"), "NotAuthorized", "org.livepatchd1.details");
        Assert.Equal("cmdline_proc_show", fields[8]);
        await Limit.Until(() => host.Log.Text.Contains("1 of 2 tasks have not switched: db.service task 501 (501) in cmdline_proc_show", StringComparison.Ordinal), () => host.Log.Text);

        host.Kernel.Complete();
        await host.Becomes("lp_one", "active");
        Assert.Null((await Scrape.From(host.MetricsSocket)).Value("livepatchd_stalled_tasks"));
        using var over = JsonDocument.Parse(Ask(host));
        Assert.Equal(JsonValueKind.Null, over.RootElement.GetProperty("transition").ValueKind);
        Assert.Empty((Array)host.View.Patch("lp_one")["Blockers"]);
    }

    [Fact]
    public async Task Whoever_asks_is_told_before_the_deadline_and_nothing_counts_as_stalled_yet()
    {
        await using var host = await Stalled(overdue: false);
        var json = await Report(host);
        Assert.False(json.GetProperty("transition").GetProperty("overdue").GetBoolean());
        Assert.Equal(0, (await Scrape.From(host.MetricsSocket)).Value("livepatchd_stalled_tasks"));
        Assert.DoesNotContain("have not switched", host.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kernel_thread_that_never_leaves_has_the_load_taken_back_and_not_tried_again()
    {
        await using var host = await Stalled(overdue: false);
        Task(host, 502, "0\n", null, "[<0>] cmdline_proc_show+0x1/0x2\n[<0>] kthread+0x1/0x2\n[<0>] ret_from_fork+0x1/0x2\n");
        host.Time.Skip(TimeSpan.FromSeconds(3));
        await Limit.Until(() => host.Kernel.Calls.Contains("disable lp_one ok"), () => host.Log.Text);
        host.Kernel.Complete();
        await host.Becomes("lp_one", "rejected", "never-completes");
        Assert.Contains("kernel thread task 502 (502) never leaves cmdline_proc_show", (string)host.View.Patch("lp_one")["Detail"] + host.Log.Text, StringComparison.Ordinal);
        host.Barrier();
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task Force_takes_the_token_of_the_report_and_is_the_last_change_of_the_boot()
    {
        await using var host = await Stalled();
        var token = (await Report(host)).GetProperty("token").GetString()!;
        BusView.Refused(Force(host, "lp_one", ""), "InvalidArgument", "token");
        BusView.Refused(Force(host, "lp_one", "0123456789ab"), "InvalidArgument", "token");
        BusView.Refused(Force(host, "lp_two", token), "NoSuchPatch");
        var told = (await Tool.Ctl(host, "force", "lp_one")).Exits(2);
        Assert.Contains($"livepatchctl force lp_one --token {token}", told.Output + told.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(host.Kernel.Calls, c => c.StartsWith("force", StringComparison.Ordinal));

        (await Tool.Ctl(host, "force", "lp_one", "--token", token)).Exits(0);
        Assert.Contains("force lp_one ok", host.Kernel.Calls);
        await host.Becomes("lp_one", "forced", "forced-until-reboot");
        BusView.Refused(Force(host, "lp_one", token), "InvalidArgument", "not in transition");
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "held", "forced-until-reboot");
        await host.Restart();
        await host.Becomes("lp_two", "held", "forced-until-reboot");
        await host.Becomes("lp_one", "forced");
        Assert.Equal(0, host.Kernel.LoadsOf("lp_two"));
    }

    [Fact]
    public async Task The_token_of_one_transition_is_of_no_use_for_the_next()
    {
        await using var host = await Stalled();
        var token = (await Report(host)).GetProperty("token").GetString()!;
        Assert.Equal(token, (await Report(host)).GetProperty("token").GetString());
        BusView.Value(host.View.Ask("Revert", "lp_one"));
        await host.Becomes("lp_one", "reversing");
        await Limit.Until(() => Read(host).GetProperty("transition") is { ValueKind: JsonValueKind.Object } t && t.GetProperty("direction").GetString() == "disable");
        var next = (await Report(host)).GetProperty("token").GetString();
        Assert.NotEqual(token, next);
        BusView.Refused(Force(host, "lp_one", token), "InvalidArgument", "token");
        Assert.DoesNotContain(host.Kernel.Calls, c => c.StartsWith("force", StringComparison.Ordinal));
    }

    private static async Task<JsonElement> Report(TestHost host)
    {
        await Limit.Until(() => Read(host).GetProperty("token").ValueKind is JsonValueKind.String, () => host.Log.Text);
        return Read(host);
    }

    private static JsonElement Read(TestHost host)
    {
        using var document = JsonDocument.Parse(Ask(host));
        return document.RootElement.Clone();
    }

    private static string Ask(TestHost host) => BusView.Value(host.View.Client.Call(
        Core.Model.BusNames.Service, Core.Model.BusNames.ManagerPath, Core.Model.BusNames.Manager, "BlockingTasks", Limit.Call, null, "s", static r => r.ReadString()));

    private static Bus.BusResult<bool> Force(TestHost host, string name, string token) => host.View.Client.Call(
        Core.Model.BusNames.Service, Core.Model.BusNames.ManagerPath, Core.Model.BusNames.Manager, "Force", Limit.Call, w =>
        {
            w.WriteString(name);
            w.WriteString(token);
        });

    /// <param name="unit">Null for a kernel thread.</param>
    private static void Task(TestHost host, int pid, string state, string? unit, string? stack = null)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/task/{pid}/");
        host.Write(path + "stat", $"{pid} (task {pid}) D 1 1 1 0 -1 {(unit is null ? 69238880 : 4194560)} 0 0 0 0 0 0 0 0 20 0 1 0 4242 0\n");
        host.Write(path + "status", "Name:\ttask\nUid:\t1000\t1000\t1000\t1000\n");
        host.Write(path + "cgroup", unit is null ? "0::/\n" : $"0::/system.slice/{unit}\n");
        if (stack is not null)
            host.Write(path + "stack", stack);
        host.Write(path + "patch_state", state);
    }
}
