// Services started through systemd, all at once: how each one ended, and what says nothing about the host.
using System.Diagnostics;
using LivePatchd.Bus;
using LivePatchd.Core.Policy.Health;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Systemd;

namespace LivePatchd.Tests.Systemd;

[Collection("systemd")]
public sealed class UnitRunsTests : IDisposable
{
    private readonly FakeSystemd systemd;
    private readonly SystemdClient client;
    private readonly BusWake cancel = new();
    private readonly string address;

    public UnitRunsTests(SharedBus bus)
    {
        systemd = new FakeSystemd(bus.Bus);
        address = bus.Address;
        client = BusView.Value(SystemdClient.Connect(BusAddress.At(bus.Address)));
    }

    public void Dispose()
    {
        client.Dispose();
        cancel.Dispose();
        systemd.Dispose();
    }

    private Dictionary<string, UnitRun> Run(TimeSpan limit, params string[] units) =>
        UnitRuns.Run(client, units, limit, cancel, TimeProvider.System).ToDictionary(r => r.Unit);

    [Fact]
    public void Run_EachEnd_JudgedByItsJobAndItsResult()
    {
        systemd.Ends("good.service", UnitEnd.Passes);
        systemd.Ends("skipped.service", new UnitEnd("skipped"));
        systemd.Ends("bad.service", UnitEnd.Fails);
        systemd.Ends("late.service", new UnitEnd("timeout", "failed", "timeout"));
        systemd.Ends("dead.service", new UnitEnd("done", "failed", "exit-code"));
        systemd.Ends("cancelled.service", new UnitEnd("canceled"));
        systemd.Ends("needy.service", new UnitEnd("dependency", Requires: "bad.service"));
        var runs = Run(Limit.Long, "good.service", "skipped.service", "bad.service", "late.service", "dead.service", "cancelled.service", "needy.service");
        Assert.Equal((true, ""), (runs["good.service"].Passed, runs["good.service"].Detail));
        Assert.True(runs["skipped.service"].Passed);
        Assert.Equal((false, "it is failed, result exit-code"), (runs["bad.service"].Passed, runs["bad.service"].Detail));
        Assert.Equal((false, "it is failed, result timeout"), (runs["late.service"].Passed, runs["late.service"].Detail));
        Assert.Equal((false, "it is failed, result exit-code"), (runs["dead.service"].Passed, runs["dead.service"].Detail));
        Assert.Equal((null, "it was not started"), (runs["cancelled.service"].Passed, runs["cancelled.service"].Detail));
        Assert.Equal((false, "it was not started, for it requires bad.service, which has failed"), (runs["needy.service"].Passed, runs["needy.service"].Detail));
        Assert.Empty(systemd.Stopped);
    }

    [Theory]
    [InlineData("done")]
    [InlineData("failed")]
    public void Run_JobRemovedForgedByAnybody_NotBelieved(string word)
    {
        systemd.Ends("hangs.service", UnitEnd.Hangs);
        using var forger = new Forger(address, client.Bus.UniqueName, word);
        var run = Run(TimeSpan.FromSeconds(2), "hangs.service")["hangs.service"];
        Assert.Equal((false, "it did not end within 2 s"), (run.Passed, run.Detail));
        Assert.Equal(["hangs.service"], systemd.Stopped);
        Assert.True(forger.Sent > 0);
    }

    [Fact]
    public void Run_DoesNotEnd_StoppedAndFailed()
    {
        systemd.Ends("hangs.service", UnitEnd.Hangs);
        Assert.False(Run(TimeSpan.FromMilliseconds(50), "hangs.service")["hangs.service"].Passed);
        Assert.Equal(["hangs.service"], systemd.Stopped);
    }

    [Fact]
    public void Run_AbsentOrOurOwn_SaysNothingAboutTheHost()
    {
        var runs = Run(Limit.Long, "absent.service", "livepatchd.service");
        Assert.Null(runs["absent.service"].Passed);
        Assert.Null(runs["livepatchd.service"].Passed);
        Assert.Equal(["absent.service"], systemd.Started);
    }

    [Fact]
    public void Run_Cancelled_NotJudgedAndNotStopped()
    {
        systemd.Ends("hangs.service", UnitEnd.Hangs);
        cancel.Set();
        Assert.Equal((null, "systemd could not be waited for"), Run(Limit.Long, "hangs.service")["hangs.service"] is var run ? (run.Passed, run.Detail) : default);
        Assert.Empty(systemd.Stopped);
    }

    [Fact]
    public void FailedUnits_Listed_ByTheirNames()
    {
        systemd.Fail("a.service", "b.mount");
        Assert.Equal(["a.service", "b.mount"], client.FailedUnits().Value);
    }

    [Fact]
    public void Facts_OfFailedUnits_AsSystemdSaysThem()
    {
        systemd.Knows("a.service", changed: 5_000_000, up: 2_000_000, restarts: 3);
        systemd.Knows("echo@1.service", changed: 5_000_000, up: 0, transient: true, socket: "echo.socket");
        systemd.Knows("plain@1.service", changed: 5_000_000, up: 1);
        var facts = client.Facts(["a.service", "gone.service", "echo@1.service", "plain@1.service"]);
        Assert.Equal(["a.service", "echo@1.service", "plain@1.service"], facts.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(new UnitFacts(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(2), 3, false, false), facts["a.service"]);
        Assert.Equal(new UnitFacts(TimeSpan.FromSeconds(5), null, 0, true, true), facts["echo@1.service"]);
        Assert.False(facts["plain@1.service"].IsPerConnection);
    }

    /// <summary>Somebody on the bus who says to one connection, again and again, that each of the next jobs has ended.</summary>
    private sealed class Forger : IDisposable
    {
        private readonly Thread thread;
        private volatile bool stop;
        private int sent;

        public Forger(string address, string victim, string result)
        {
            thread = new Thread(() =>
            {
                for (var i = 0; !stop; i++)
                {
                    using var send = Process.Start(
                        "dbus-send",
                        [$"--bus={address}", "--type=signal", $"--dest={victim}", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager.JobRemoved",
                            $"uint32:{1 + (i % 3)}", $"objpath:/org/freedesktop/systemd1/job/{1 + (i % 3)}", "string:hangs.service", $"string:{result}"]);
                    send.WaitForExit();
                    if (send.ExitCode == 0)
                        Interlocked.Increment(ref sent);
                }
            });
            thread.Start();
        }

        public int Sent => Volatile.Read(ref sent);

        public void Dispose()
        {
            stop = true;
            thread.Join();
        }
    }
}
