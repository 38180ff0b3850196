// The journal across stops, crashes and disks that fail: nothing is loaded twice, nothing is touched that may not be ours.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.EndToEnd.Tests;

public sealed class JournalTests
{
    private const string FirstBoot = "11111111-1111-4111-8111-111111111111";

    private static void WriteJournal(TestHost host, params JournalRecord[] records)
    {
        host.MakeDirectory("/var/lib/livepatchd/state");
        File.WriteAllBytes(host.Root.Path(TestHost.JournalPath), [.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine), .. records.SelectMany(JournalCodec.Encode)]);
    }

    private static JournalRecord Intent(TestHost host, Patch patch) => new(
        RecordKind.LoadIntent, PatchName.Parse(patch.Name), FirstBoot, new Instant(host.Time.GetElapsedTime(0), host.Time.GetUtcNow()),
        Sha256.TryParse(patch.Digest), BuildId.TryParse(patch.BuildIdHex), $"{TestHost.PatchDirectory}/{patch.FileName}");

    [Fact]
    public async Task A_restart_adopts_what_it_finds_and_loads_nothing_twice()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        await host.Stop();
        Assert.Equal(["lp_one"], host.Kernel.Active);
        await host.Start();
        await host.Becomes("lp_one", "active", "");
        Assert.Equal("daemon", host.View.Patch("lp_one")["Origin"]);
        host.Barrier();
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);

        // What happened to the directory in the meantime counts.
        await host.Stop();
        host.Remove("lp_one.ko");
        await host.Start();
        await host.Becomes("lp_one", "reverted", "removed-from-directory");
    }

    [Fact]
    public async Task A_restart_in_mid_transition_adopts_and_finishes()
    {
        await using var host = await TestHost.Started();
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_busy"));
        await host.Becomes("lp_busy", "transitioning");
        var since = host.View.Manager()["TransitionSinceUsec"];
        await host.Restart();
        await host.Becomes("lp_busy", "transitioning");
        Assert.Equal(since, host.View.Manager()["TransitionSinceUsec"]);
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_busy", "active");
        Assert.Equal(["load lp_busy ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task A_restart_in_the_middle_of_a_revert_finishes_it()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Kernel.HoldsFree = true;
        host.Remove("lp_one.ko");
        await host.Becomes("lp_one", "reverting");
        await Limit.Until(() => host.Kernel.Calls.Contains("disable lp_one ok"));
        await host.Stop();
        host.Kernel.Free();
        await host.Start();
        await host.Becomes("lp_one", "reverted");
        Assert.False(host.Kernel.Has("lp_one"));
    }

    [Fact]
    public async Task A_reboot_brings_the_wanted_patches_back()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_one", "active");
        await host.Becomes("lp_two", "active");
        await host.Stop();
        foreach (var name in new[] { "lp_one", "lp_two" })
        {
            host.Kernel.DisableByHand(name);
            host.Kernel.Complete();
            host.Kernel.Free();
            host.Kernel.Rmmod(name);
        }
        host.Boot("22222222-2222-4222-8222-222222222222");
        host.Kernel = new TestKernel(host.Root);
        await host.Start();
        await host.Becomes("lp_one", "active");
        await host.Becomes("lp_two", "active");
        Assert.Equal(["load lp_one ok", "load lp_two ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task Killed_after_the_kernel_took_the_module_it_is_ours_and_not_loaded_again()
    {
        await using var host = new TestHost();
        var patch = new Patch("lp_one");
        host.Drop(patch);
        WriteJournal(host, Intent(host, patch));
        host.Kernel.Insmod(patch);
        await host.Start();
        await host.Becomes("lp_one", "active");
        Assert.Equal("daemon", host.View.Patch("lp_one")["Origin"]);
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
    }

    [Fact]
    public async Task Killed_before_the_kernel_took_the_module_it_is_loaded_once()
    {
        await using var host = new TestHost();
        var patch = new Patch("lp_one");
        host.Drop(patch);
        WriteJournal(host, Intent(host, patch));
        await host.Start();
        await host.Becomes("lp_one", "active");
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task A_stop_during_a_load_leaves_an_intent_that_the_next_start_resolves()
    {
        await using var host = await TestHost.Started();
        host.Kernel.LoadGate.Reset();
        host.Drop(new Patch("lp_slow"));
        await host.Becomes("lp_slow", "loading");
        await host.Stop();
        host.Kernel.LoadGate.Set();
        await Limit.Until(() => host.Kernel.Calls.Count == 1);
        await host.Start();
        await host.Becomes("lp_slow", "active");
        Assert.Equal(["load lp_slow ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task A_torn_last_record_is_cut_off_and_work_goes_on()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        await host.Stop();
        await File.AppendAllTextAsync(host.Root.Path(TestHost.JournalPath), "0000", TestContext.Current.CancellationToken);
        await host.Start();
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "active");
        Assert.Equal(["load lp_one ok", "load lp_two ok"], host.Kernel.Calls);
        await host.Restart();
        Assert.Equal("running", host.View.Manager()["State"]);
    }

    [Fact]
    public async Task A_damaged_journal_is_set_aside_and_nothing_is_touched_until_a_restart()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        await host.Stop();
        var journal = host.Root.Path(TestHost.JournalPath);
        var bytes = await File.ReadAllBytesAsync(journal, TestContext.Current.CancellationToken);
        bytes[40] ^= 1;
        await File.WriteAllBytesAsync(journal, bytes, TestContext.Current.CancellationToken);
        host.Remove("lp_one.ko");
        host.Drop(new Patch("lp_two"));
        await host.Start();
        await host.Becomes("lp_two", "held", "journal-unreadable");
        Assert.Equal(("observing", "journal-unreadable"), ((string)host.View.Manager()["State"], (string)host.View.Manager()["Reason"]));
        await host.Becomes("lp_one", "foreign");
        Assert.Equal(bytes, await File.ReadAllBytesAsync(journal + ".damaged", TestContext.Current.CancellationToken));
        BusView.Refused(host.View.Ask("Apply", "lp_two"), "Held", "journal-unreadable");
        host.Barrier();
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);

        // The new journal reads back.
        await host.Restart();
        await host.Becomes("lp_two", "active");
        Assert.Equal("running", host.View.Manager()["State"]);
        Assert.Equal("foreign", host.View.Find("lp_one")!.State);
    }

    [Fact]
    public async Task A_damaged_record_lets_no_patch_in_again_that_was_in_quarantine()
    {
        await using var host = new TestHost();
        var patch = new Patch("lp_one");
        var intent = Intent(host, patch) with { BootId = "00000000-0000-4000-8000-000000000000" };
        WriteJournal(host, intent with { Kind = RecordKind.Quarantined, Reason = Reason.KernelOops }, intent with { Kind = RecordKind.Forced }, intent with { Kind = RecordKind.OperatorReverted, Name = PatchName.Parse("lp_two") });
        var journal = host.Root.Path(TestHost.JournalPath);
        var bytes = await File.ReadAllBytesAsync(journal, TestContext.Current.CancellationToken);
        bytes[bytes.AsSpan().IndexOf("Forced"u8)] ^= 1;
        await File.WriteAllBytesAsync(journal, bytes, TestContext.Current.CancellationToken);
        host.Drop(patch);
        host.Drop(new Patch("lp_two"));
        await host.Start();
        await host.Becomes("lp_one", "quarantined", "kernel-oops");
        Assert.Equal("journal-unreadable", host.View.Manager()["Reason"]);
        await host.Restart();
        Assert.Equal("running", host.View.Manager()["State"]);
        await host.Becomes("lp_one", "quarantined", "kernel-oops");
        await host.Becomes("lp_two", "reverted", "reverted-by-operator");
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
    }

    [Fact]
    public async Task A_state_directory_that_is_none_holds_everything_and_recovers_by_itself()
    {
        await using var host = new TestHost();
        host.Write("/var/lib/livepatchd/state", "in the way");
        host.Drop(new Patch("lp_one"));
        await host.Start();
        await host.Becomes("lp_one", "held", "journal-unavailable");
        Assert.Equal("journal-unavailable", host.View.Manager()["Reason"]);
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
        BusView.Refused(host.View.Ask("Apply", "lp_one"), "org.freedesktop.DBus.Error.Failed", "journal-unavailable");

        File.Delete(host.Root.Path("/var/lib/livepatchd/state"));
        host.Barrier();
        await host.Becomes("lp_one", "active");
        Assert.Equal("running", host.View.Manager()["State"]);
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
        await host.Restart();
        await host.Becomes("lp_one", "active");
    }

    [Fact]
    public async Task On_a_read_only_disk_nothing_is_changed_and_everything_goes_on_when_it_is_writable_again()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        await host.Stop();
        using var state = FullDisk.Over(host.Root.Path("/var/lib/livepatchd/state"));
        using var store = FullDisk.Over(host.Root.Path("/var/lib/livepatchd/store"));
        state.MakeReadOnly(true);
        store.MakeReadOnly(true);
        await host.Start();
        await host.Becomes("lp_one", "active", "");
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "rejected", "store-unavailable");
        host.Remove("lp_one.ko");
        await host.Becomes("lp_one", "active", "journal-unavailable");
        Assert.Equal("journal-unavailable", host.View.Manager()["Reason"]);
        BusView.Refused(host.View.Ask("Revert", "lp_one"), "org.freedesktop.DBus.Error.Failed", "journal-unavailable");
        host.Barrier();
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);

        state.MakeReadOnly(false);
        store.MakeReadOnly(false);
        host.Barrier();
        await host.Becomes("lp_one", "reverted");
        await host.Becomes("lp_two", "active");
        Assert.Equal("running", host.View.Manager()["State"]);
        await host.Stop();
    }

    [Fact]
    public async Task A_disk_that_fills_up_stops_changes_and_not_the_daemon()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        await host.Stop();
        using var small = FullDisk.Over(host.Root.Path("/var/lib/livepatchd/state"));
        await host.Start();
        small.Fill();
        // The journal's last page has room for some records yet.
        var last = "";
        for (var i = 0; i < 64 && !last.StartsWith("held", StringComparison.Ordinal); i++)
        {
            host.Drop(new Patch($"lp_{i}"));
            await Limit.Until(() => host.View.Find($"lp_{i}") is { State: "active" or "soaking" or "held" } p && (last = $"{p.State} {p.Reason}").Length > 0, () => host.Log.Text);
        }
        Assert.Equal("held journal-unavailable", last);
        var loads = host.Kernel.Calls.Count;
        host.Remove("lp_one.ko");
        host.Barrier();
        Assert.Contains("lp_one", host.Kernel.Active);
        Assert.Equal(loads, host.Kernel.Calls.Count);
        Assert.Equal("journal-unavailable", host.View.Manager()["Reason"]);

        small.Release();
        host.Barrier();
        await host.Becomes("lp_one", "reverted");
        await Limit.Until(() => host.View.List().Value!.All(p => p.State is "active" or "reverted"), () => host.Log.Text);
        await host.Stop();
    }

    [Fact]
    public async Task A_disk_that_is_full_keeps_no_patch_in_that_does_harm()
    {
        await using var host = new TestHost();
        host.Configure("", soak: "duration: 1h, checks: {units: false}");
        using var kernelLog = new FakeKernelLog(host);
        Directory.CreateDirectory(host.Root.Path("/var/lib/livepatchd/state"));
        using var small = FullDisk.Over(host.Root.Path("/var/lib/livepatchd/state"));
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "soaking");
        small.Fill();
        var last = "";
        for (var i = 0; i < 64 && !last.StartsWith("held", StringComparison.Ordinal); i++)
        {
            host.Drop(new Patch($"lp_{i}"));
            await Limit.Until(() => host.View.Find($"lp_{i}") is { State: "active" or "soaking" or "held" } p && (last = $"{p.State} {p.Reason}").Length > 0, () => host.Log.Text);
        }
        Assert.Equal("held journal-unavailable", last);

        kernelLog.Say("BUG: kernel NULL pointer dereference, address: 0000000000000000", "RIP: 0010:lp_new+0x5/0x10 [lp_one]", "---[ end trace 0000000000000000 ]---");
        await host.Becomes("lp_one", "quarantined", "kernel-oops");
        await Limit.Until(() => !host.Kernel.Has("lp_one"), () => host.Log.Text);
        Assert.Equal("journal-unavailable", host.View.Manager()["Reason"]);

        // Once there is room it is written, and outlives the daemon.
        small.Release();
        host.Barrier();
        await Limit.Until(() => (string)host.View.Manager()["Reason"] == "", () => host.Log.Text);
        await host.Restart();
        await host.Becomes("lp_one", "quarantined", "kernel-oops");
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task A_journal_that_is_damaged_in_mid_run_keeps_no_patch_in_that_does_harm()
    {
        await using var host = new TestHost();
        host.Configure("", soak: "duration: 1h, checks: {units: false}");
        using var kernelLog = new FakeKernelLog(host);
        Directory.CreateDirectory(host.Root.Path("/var/lib/livepatchd/state"));
        using var small = FullDisk.Over(host.Root.Path("/var/lib/livepatchd/state"));
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "soaking");
        var journal = host.Root.Path(TestHost.JournalPath);
        var bytes = await File.ReadAllBytesAsync(journal, TestContext.Current.CancellationToken);
        using (var file = File.OpenHandle(journal, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
            RandomAccess.Write(file, [(byte)(bytes[40] ^ 1)], 40);
        // It is read again only when it could not be written.
        small.Fill();
        for (var i = 0; i < 64 && (string)host.View.Manager()["Reason"] != "journal-unreadable"; i++)
        {
            host.Drop(new Patch($"lp_{i}"));
            await Limit.Until(() => host.View.Find($"lp_{i}") is { State: "active" or "soaking" or "held" }, () => host.Log.Text);
            host.Barrier();
        }
        Assert.Equal("journal-unreadable", host.View.Manager()["Reason"]);
        var loads = host.Kernel.Calls.Count;

        kernelLog.Say("BUG: kernel NULL pointer dereference, address: 0000000000000000", "RIP: 0010:lp_new+0x5/0x10 [lp_one]", "---[ end trace 0000000000000000 ]---");
        await host.Becomes("lp_one", "quarantined", "kernel-oops");
        await Limit.Until(() => !host.Kernel.Has("lp_one"), () => host.Log.Text);
        Assert.Equal(["disable lp_one ok", "unload lp_one ok"], host.Kernel.Calls.Skip(loads));
        Assert.Equal("journal-unreadable", host.View.Manager()["Reason"]);

        // Once there is room it is written, and outlives the daemon, which observes until its end.
        small.Release();
        host.Barrier();
        await Limit.Until(() => File.Exists(journal + ".damaged"), () => host.Log.Text);
        Assert.Equal("journal-unreadable", host.View.Manager()["Reason"]);
        await host.Restart();
        await host.Becomes("lp_one", "quarantined", "kernel-oops");
        Assert.Equal("running", host.View.Manager()["State"]);
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
    }
}
