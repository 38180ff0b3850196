// The bundle of Diagnose: every section from a running daemon, secrets masked, sealed, and had while the loop is stuck.
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Tests;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.EndToEnd.Tests;

public sealed partial class DiagnoseTests
{
    private const string Secret = "hunter2";

    [Fact]
    public async Task The_bundle_has_every_section_after_its_schema()
    {
        await using var host = await TestHost.Started();
        host.Write("/proc/cmdline", "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 quiet\n");
        host.Write("/proc/version", "Linux version 6.12.0 (builder@farm)\n");
        host.Write("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
        using var log = new FakeKernelLog(host);
        log.Say("livepatch: 'lp_one': patching complete");
        log.SayAsProgram("not the kernel's");
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Drop(new Patch("lp_bad") { Release = "5.0.0" });
        await host.Becomes("lp_bad", "rejected", "wrong-kernel");
        await host.View.Job("Revert", "lp_one");
        await host.View.Job("Apply", "lp_one");
        using var inhibitor = BusView.Value(host.View.Inhibit("backup", "nightly"));

        var text = await Bundle(host);
        SchemaValidator.Validate("diagnose.json", text);
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        Assert.Equal("running", root.GetProperty("daemon").GetProperty("state").GetString());
        var keys = root.GetProperty("config").GetProperty("keys").EnumerateArray()
            .ToDictionary(k => k.GetProperty("name").GetString()!, k => (Value: k.GetProperty("value").GetString(), From: k.GetProperty("from").GetString()));
        Assert.Equal(("off", host.Root.Path("/etc/livepatchd/livepatchd.yaml") + ":1"), keys["metrics.listen"]);
        Assert.Equal(("24h", "default"), keys["deferral.budget"]);
        Assert.Equal(
            [("lp_bad", "rejected", "wrong-kernel"), ("lp_one", "active", null)],
            root.GetProperty("patches").EnumerateArray().Select(p => (Of(p, "name"), Of(p, "state"), Of(p, "reason"))).Order());
        Assert.Equal([("apply", "done"), ("revert", "done")], root.GetProperty("jobs").EnumerateArray().Select(j => (Of(j, "kind"), Of(j, "result"))).Order());
        Assert.Equal("backup", Of(root.GetProperty("gates").GetProperty("inhibitors")[0], "who"));
        Assert.True(root.GetProperty("gates").GetProperty("gates").GetArrayLength() >= 5);
        var records = root.GetProperty("journal").GetProperty("records").EnumerateArray().Select(r => (Of(r, "kind"), Of(r, "patch"))).ToList();
        Assert.Contains(("LoadIntent", "lp_one"), records);
        Assert.Contains(("OperatorReverted", "lp_one"), records);
        Assert.Equal(0, root.GetProperty("journal").GetProperty("unreadable").GetInt32());
        var kernel = root.GetProperty("kernel");
        Assert.Equal(TestHost.Release, Of(kernel, "release"));
        Assert.Equal("BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 quiet", Of(kernel, "command_line"));
        Assert.Equal("[none] integrity confidentiality", Of(kernel, "lockdown"));
        Assert.Equal(32768, kernel.GetProperty("tainted").GetInt32());
        var tree = kernel.GetProperty("livepatch_tree").EnumerateArray().Select(l => l.GetString()).ToList();
        Assert.Contains("lp_one/enabled 1", tree);
        Assert.Contains("lp_one/vmlinux/cmdline_proc_show,0/", tree);
        Assert.Equal(["lp_one"], kernel.GetProperty("livepatch_modules").EnumerateArray().Select(m => Of(m, "name")));
        var line = Assert.Single(root.GetProperty("kernel_log").GetProperty("lines").EnumerateArray()).GetString()!;
        Assert.Matches(@"^<3>\[ *[0-9]+\.[0-9]{6}\] livepatch: 'lp_one': patching complete$", line);
    }

    [Fact]
    public async Task Secrets_are_masked_wherever_they_stand()
    {
        await using var host = await TestHost.Started();
        host.Write("/proc/cmdline", $"root=/dev/vda1 luks.password={Secret} keymap=de api_token=\"{Secret} {Secret}\" ks=https://me:{Secret}@host/ks quiet\n");
        using var log = new FakeKernelLog(host);
        log.Say($"Command line: root=/dev/vda1 luks.password={Secret} quiet", "usb 1-1: new device");
        host.Configure($"soak: {{duration: 0s}}\nmetrics-of-mine: 1\n", gates: "settle: 0s");
        Assert.False(host.View.Reload().IsOk);
        host.Configure($"trust: {{certificates: \"/etc/keys/token={Secret}\"}}\n");
        BusView.Value(host.View.Reload());
        host.Configure($"soak: {{checks: {{commands: [\"check --password={Secret}\"]}}}}\n");
        Assert.False(host.View.Reload().IsOk);
        BusView.Value(host.View.Hold($"secret={Secret} of ours"));

        var text = await Bundle(host);
        Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
        using var document = JsonDocument.Parse(text);
        Assert.Equal("root=/dev/vda1 luks.password=*** keymap=de api_token=*** ks=https://***@host/ks quiet", Of(document.RootElement.GetProperty("kernel"), "command_line"));
        Assert.Contains("token=***", text, StringComparison.Ordinal);
        Assert.Equal("secret=*** of ours", Of(document.RootElement.GetProperty("gates"), "hold"));
        Assert.EndsWith("usb 1-1: new device", document.RootElement.GetProperty("kernel_log").GetProperty("lines")[1].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_can_change_what_was_handed_over()
    {
        await using var host = await TestHost.Started();
        using var first = BusView.Value(Diagnose(host.View.Client));
        using var second = BusView.Value(Diagnose(host.View.Client));
        const int getSeals = 1034, all = 0xF, end = 2;
        Assert.Equal(all, fcntl(first, getSeals, 0) & all);
        Assert.Throws<UnauthorizedAccessException>(() => RandomAccess.Write(first, "x"u8, 0));
        Assert.ThrowsAny<Exception>(() => RandomAccess.SetLength(first, 0));
        // Each caller's descriptor stands where that caller left it.
        Assert.NotEqual(0, lseek(first, 0, end));
        Assert.Equal(0, lseek(second, 0, 1));
    }

    [Fact]
    public async Task It_is_had_while_the_loop_is_stuck_and_a_load_does_not_end()
    {
        await using var host = await TestHost.Started();
        host.Kernel.LoadGate.Reset();
        host.Drop(new Patch("lp_slow"));
        await host.Becomes("lp_slow", "loading");
        using var other = host.Connect();
        host.Kernel.LookGate.Reset();
        try
        {
            var asked = Task.Run(() => other.Ask("Revert", "lp_none"), TestContext.Current.CancellationToken);
            Assert.Contains("\"loading\"", await Bundle(host), StringComparison.Ordinal);
            Assert.False(asked.IsCompleted);
            host.Kernel.LookGate.Set();
            BusView.Refused(await asked, "NoSuchPatch");
            // The load ends before its host does.
            host.Kernel.LoadGate.Set();
            await host.Becomes("lp_slow", "active");
        }
        finally
        {
            host.Kernel.LookGate.Set();
        }
    }

    [Fact]
    public async Task Who_is_nobody_gets_none_and_the_tool_writes_it_for_root()
    {
        await using var host = await TestHost.Started();
        using (var nobody = UserClient.Connect(host.Bus, UserClient.Nobody))
            BusView.Refused(Diagnose(nobody), "NotAuthorized", PolkitActions.Diagnose);
        var path = Path.Combine(host.Directory, "bundle.json");
        (await Tool.Ctl(host, "diagnose", "--output", path)).Exits(0);
        SchemaValidator.Validate("diagnose.json", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        SchemaValidator.Validate("diagnose.json", (await Tool.Ctl(host, "diagnose")).Exits(0).Output);
    }

    private static BusResult<SafeFileHandle> Diagnose(BusClient client) => client.Call(
        BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Diagnose", Limit.Call, null, "h", static r => r.ReadFd());

    private static async Task<string> Bundle(TestHost host)
    {
        using var file = BusView.Value(Diagnose(host.View.Client));
        var bytes = new byte[RandomAccess.GetLength(file)];
        Assert.Equal(bytes.Length, await RandomAccess.ReadAsync(file, bytes, 0, TestContext.Current.CancellationToken));
        return Encoding.UTF8.GetString(bytes);
    }

    private static string? Of(JsonElement element, string name) => element.GetProperty(name).GetString();

    [LibraryImport("libc")]
    private static partial int fcntl(SafeFileHandle fd, int command, int argument);

    [LibraryImport("libc")]
    private static partial long lseek(SafeFileHandle fd, long offset, int whence);
}
