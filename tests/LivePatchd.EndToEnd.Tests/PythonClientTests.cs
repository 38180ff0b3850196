// Debian's python3-dbus as a client of its own: what it finds is what this project's own client finds.
namespace LivePatchd.EndToEnd.Tests;

public sealed class PythonClientTests
{
    // Another python may stand before it on PATH, without Debian's modules.
    private const string Python = "/usr/bin/python3";

    [Fact]
    public async Task An_independent_client_can_do_everything_it_needs()
    {
        Assert.SkipUnless(File.Exists(Python), "python3 of Debian is not installed");
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        var run = (await Tool.Run([Python, Path.Combine(AppContext.BaseDirectory, "Clients", "client.py"), host.Bus.Address])).Exits(0);
        Assert.Equal(
            [
                "introspect Apply: in s in a{sv} out o",
                "introspect signals: GateChanged JobNew JobRemoved",
                "list: [('lp_one', 'active')]",
                "property Mode: apply",
                "all properties: True",
                "objects: ['/org/livepatchd1/patch/lp_5fone']",
                "revert: done",
                "apply: done",
                "state by signal: active",
                "job kind: apply",
                "inhibited: [('client.py', 'a test')]",
                "let go: True",
                "bundle: {",
                "bundle is sealed: True",
                "no such patch: org.livepatchd1.Error.NoSuchPatch",
                "unknown option: org.livepatchd1.Error.InvalidArgument",
                "wrong type of an option: org.livepatchd1.Error.InvalidArgument",
                "wrong signature: org.freedesktop.DBus.Error.InvalidArgs",
                "no such method: org.freedesktop.DBus.Error.UnknownMethod",
            ],
            run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["load lp_one ok", "disable lp_one ok", "unload lp_one ok", "load lp_one ok"], host.Kernel.Calls);
        Assert.Empty((object[])host.View.Manager()["Inhibitors"]);
    }
}
