// Following a job to its end: early ends, late ends, no ends, and a daemon that goes away in the middle.
using System.Diagnostics;
using LivePatchd.Bus.Tests;
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Tests;

public sealed class WaitTests : CtlTest
{
    [Fact]
    public async Task The_end_is_awaited()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "staged" });
        FakeJob? job = null;
        daemon.OnJob = (d, j) =>
        {
            d.Set(j.Patch, "transitioning");
            job = j;
        };
        using var ctl = Start("apply", "lp-x");
        await Eventually.Becomes(() => job is not null);
        Assert.Equal(["apply lp_x"], daemon.Asked);
        daemon.Finish(job!, "done", "active");
        var end = (await ctl.End()).Succeeded();
        Assert.Equal(("lp_x: active\n", ""), (end.Output, end.Error));
    }

    [Fact]
    public async Task Apply_JobRemovedForgedByAnybody_NotBelieved()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "staged" });
        FakeJob? job = null;
        daemon.OnJob = (d, j) =>
        {
            d.Set(j.Patch, "transitioning");
            job = j;
        };
        using var ctl = Start("apply", "lp_x");
        await Eventually.Becomes(() => job is not null);
        // To every connection there is; and once more as the very owner of the name, whose words are no results either.
        for (var i = 0; i < 12; i++)
        {
            using var send = Process.Start(
                "dbus-send",
                [$"--bus={Bus.Address}", "--type=signal", $"--dest=:1.{i}", BusNames.ManagerPath, $"{BusNames.Manager}.JobRemoved", "uint32:1", $"objpath:{job!.Path}", "string:done"]);
            await send.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        // Each time it reads the job itself, and goes on waiting: had it believed the first, there would be no second.
        for (var i = 0; i < 2; i++)
        {
            var reads = job!.Reads;
            daemon.SayRemoved(job, "done");
            await Eventually.Becomes(() => job.Reads > reads);
        }
        daemon.Finish(job!, "reversed", "held", "stalled");
        Assert.NotEqual(0, (await ctl.End()).ExitCode);
    }

    [Fact]
    public void A_timeout_ends_the_wait_and_not_the_job()
    {
        Serve(new FakePatch { Name = "lp_x", State = "staged" }).OnJob = static (d, job) => d.Set(job.Patch, "transitioning");
        Run("apply", "lp_x", "--timeout", "300ms").Failed(75, "lp_x: transitioning: still under way after the time given; next: livepatchctl watch\n");
        Run("revert", "lp_x", "--timeout", "0s").Failed(75);
    }

    [Fact]
    public void No_wait_returns_at_once()
    {
        Serve(new FakePatch { Name = "lp_x" }).OnJob = static (_, _) => { };
        Assert.Equal("lp_x: job 1 started\n", Run("apply", "lp_x", "--no-wait").Succeeded().Output);
        Assert.Equal("lp_x: job 2 started\n", Run("revert", "lp_x", "--no-wait").Succeeded().Output);
    }

    [Fact]
    public void A_patch_that_is_gone_after_its_revert_is_reverted()
    {
        Serve(new FakePatch { Name = "lp_x" }).OnJob = static (d, job) =>
        {
            d.Finish(job, "done", "reverted");
            d.Remove(job.Patch);
        };
        Assert.Equal("lp_x: reverted\n", Run("revert", "lp_x").Succeeded().Output);
    }

    [Fact]
    public async Task A_restart_of_the_daemon_loses_the_job_and_not_the_wait()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "staged" });
        var started = false;
        daemon.OnJob = (d, j) =>
        {
            d.Set(j.Patch, "transitioning");
            started = true;
        };
        using var ctl = Start("apply", "lp_x");
        await Eventually.Becomes(() => started);
        daemon.Stop();
        daemon.Start();
        daemon.Set("lp_x", "transitioning");
        Assert.False(ctl.HasExited);
        daemon.Set("lp_x", "active");
        Assert.Equal("lp_x: active\n", (await ctl.End()).Succeeded().Output);
    }

    [Fact]
    public async Task Another_job_of_the_same_number_under_the_next_daemon_is_not_ours()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "staged" }, new FakePatch { Name = "lp_y" });
        var started = false;
        daemon.OnJob = (d, j) =>
        {
            d.Set(j.Patch, "transitioning");
            started = true;
        };
        using var ctl = Start("apply", "lp_x");
        await Eventually.Becomes(() => started);
        daemon.Stop();
        daemon.OnJob = static (d, job) => d.Finish(job, "rejected", "rejected");
        daemon.Start();
        Assert.Equal(6, Run("apply", "lp_y").ExitCode);
        daemon.Set("lp_x", "active");
        Assert.Equal("lp_x: active\n", (await ctl.End()).Succeeded().Output);
    }

    [Fact]
    public async Task An_interrupt_leaves_the_job_alone()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "staged" });
        var started = false;
        daemon.OnJob = (d, j) =>
        {
            d.Set(j.Patch, "transitioning");
            started = true;
        };
        using var ctl = Start("apply", "lp_x");
        await Eventually.Becomes(() => started);
        ctl.Signal("INT");
        (await ctl.End()).Failed(130, "lp_x: transitioning: not waited for, the job goes on; next: livepatchctl watch\n");
    }

    [Fact]
    public void A_file_is_staged_by_descriptor_and_then_applied()
    {
        var daemon = Serve();
        var directory = Directory.CreateTempSubdirectory("livepatchctl-");
        try
        {
            var file = Path.Combine(directory.FullName, "lp-new.ko.xz");
            File.WriteAllText(file, "module");
            Assert.Equal("lp_new: active\n", Run("apply", file).Succeeded().Output);
            Assert.Equal("lp_new: staged\n", Run("stage", file).Succeeded().Output);
            Assert.Equal([("lp-new.ko.xz", "module"), ("lp-new.ko.xz", "module")], daemon.Staged);
            Assert.Equal(["apply lp_new"], daemon.Asked);

            daemon.Refusal = ("InvalidArgument", "not-an-elf-file");
            Run("stage", file).Failed(6, $"livepatchctl: stage {file}: not-an-elf-file (The file is not a 64-bit ELF", "; Check that the file is a kernel module");
            daemon.Refusal = ("InvalidArgument", "no reason that this tool knows");
            Run("stage", file).Failed(6, "; check that it is a livepatch module");
            daemon.Refusal = ("InvalidArgument", "not-an-elf-file");
            Run("apply", file).Failed(6);
            Run("stage", directory.FullName).Failed(1, "is a directory; check the path");
            Run("stage", file + "x").Failed(1, "no such file; check the path");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void Unstage_says_what_happens_now()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x" });
        Assert.StartsWith("lp_x: taken out of the directory", Run("unstage", "lp-x").Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(["unstage lp_x"], daemon.Asked);
    }
}
