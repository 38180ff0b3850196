// Watched directories that fail, go and come: what is loaded is never taken out because something could not be read.
namespace LivePatchd.EndToEnd.Tests;

public sealed class DirectoryTests
{
    private const string Watched = "/var/lib/livepatchd/patches";

    [Fact]
    public async Task A_bad_file_at_the_path_of_a_loaded_patch_does_not_take_it_out()
    {
        await using var host = await TestHost.Started();
        var first = new Patch("lp_one");
        host.Drop(first);
        await host.Becomes("lp_one", "active", "");
        host.Drop("lp_one.ko", first.Bytes[..300]);
        await host.Becomes("lp_one", "active", "truncated-file");
        host.Barrier();
        Assert.Equal(["lp_one"], host.Kernel.Active);
        Assert.Equal(first.Digest, host.View.Find("lp_one")!.Sha256);
        host.Drop(first);
        await host.Becomes("lp_one", "active", "");
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task A_bad_file_of_another_module_name_at_the_same_path_does_not_take_it_out_either()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active", "");
        host.Drop(new Patch("lp_other") { Release = "5.0.0" }, "lp_one.ko");
        await host.Becomes("lp_one", "active", "wrong-kernel");
        host.Barrier();
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task A_watched_directory_that_is_gone_takes_nothing_out()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Directory.Move(host.Root.Path(Watched), host.Root.Path(Watched) + "-away");
        host.Barrier();
        await host.Becomes("lp_one", "active", "directory-unreadable");
        await host.Restart();
        host.Barrier();
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
        Directory.Move(host.Root.Path(Watched) + "-away", host.Root.Path(Watched));
        host.Barrier();
        await host.Becomes("lp_one", "active", "");
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task A_file_in_the_place_of_the_release_directory_takes_nothing_out()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        // While nobody looks: between the two moves the directory is missing, which is a clear answer.
        await host.Stop();
        Directory.Move(host.Root.Path(TestHost.PatchDirectory), host.Root.Path("/away"));
        host.Write(TestHost.PatchDirectory, "not a directory");
        await host.Start();
        host.Barrier();
        await host.Becomes("lp_one", "active", "directory-unreadable");
        Assert.Equal(["lp_one"], host.Kernel.Active);
    }

    [Fact]
    public async Task An_empty_or_missing_release_directory_is_a_clear_answer()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Directory.Move(host.Root.Path(TestHost.PatchDirectory), host.Root.Path("/away"));
        await host.Becomes("lp_one", "reverted", "removed-from-directory");

        // Made again, and noticed without being asked.
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "active");
    }

    [Fact]
    public async Task WatchedDirectory_Vanished_RevertIsHeardAllTheSame()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Directory.Move(host.Root.Path(Watched), host.Root.Path(Watched) + "-away");
        await host.Becomes("lp_one", "active", "directory-unreadable");
        Assert.True(host.View.Ask("Revert", "lp_one").IsOk);
        await Limit.Until(() => !host.Kernel.Has("lp_one"), () => host.Log.Text);
    }

    [Fact]
    public async Task File_RemovedAndPutBackWithinTheGrace_NothingHasHappened()
    {
        await using var host = new TestHost();
        host.Configure("", grace: "10m");
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active", "");
        host.Remove("lp_one.ko");
        host.Barrier();
        await host.Becomes("lp_one", "active", "");
        host.Drop(new Patch("lp_one"));
        host.Barrier();
        // Long after the grace of what was missing for a moment.
        host.Time.Skip(TimeSpan.FromMinutes(30));
        host.Barrier();
        await host.Becomes("lp_one", "active", "");
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
        Assert.DoesNotContain("disabled-by-hand", host.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task File_RemovedWhileTheDaemonIsStopped_WaitsForTheGraceAndGoes()
    {
        await using var host = new TestHost();
        host.Configure("", grace: "10m");
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active", "");
        await host.Stop();
        host.Remove("lp_one.ko");
        await host.Start();
        host.Barrier();
        await host.Becomes("lp_one", "active", "");
        host.Time.Skip(TimeSpan.FromMinutes(11));
        await host.Becomes("lp_one", "reverted", "removed-from-directory");
        Assert.DoesNotContain("DisabledByHand", host.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Revert")]
    [InlineData("Unstage")]
    public async Task Request_OfAPerson_DoesNotWaitForTheGrace(string method)
    {
        await using var host = new TestHost();
        host.Configure("", grace: "10m");
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active", "");
        Assert.True(method == "Unstage" ? host.View.Unstage("lp_one").IsOk : host.View.Ask(method, "lp_one").IsOk);
        await Limit.Until(() => !host.Kernel.Has("lp_one"), () => host.Log.Text);
    }

    [Fact]
    public async Task File_PackedLater_IsTheSamePatchAndTheNewFileIsRecorded()
    {
        await using var host = await TestHost.Started();
        var patch = new Patch("lp_one");
        host.Drop(patch);
        await host.Becomes("lp_one", "active", "");
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(patch.Bytes);
        host.Drop("lp_one.ko.gz", packed.ToArray());
        host.Remove("lp_one.ko");
        var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(packed.ToArray()));
        await Limit.Until(() => host.View.Find("lp_one")?.Sha256 == digest, () => host.Log.Text);
        host.Barrier();
        await host.Becomes("lp_one", "active", "");
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
        // The record holds over a restart, and the new file is the one whose removal counts.
        await host.Restart();
        host.Barrier();
        await host.Becomes("lp_one", "active", "");
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
        host.Remove("lp_one.ko.gz");
        await host.Becomes("lp_one", "reverted", "removed-from-directory");
    }

    [Fact]
    public async Task Files_of_other_kernels_are_left_alone()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_old") { Release = "5.0.0" }, directory: Watched + "/5.0.0");
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        Assert.Null(host.View.Find("lp_old"));
    }

    [Fact]
    public async Task The_same_build_in_two_directories_is_one_wish()
    {
        await using var host = new TestHost();
        host.Configure($"directories: [{{path: {Watched}, grace: 0s}}, {{path: /var/lib/kpatch, read-only: true, grace: 0s}}]\n");
        host.MakeDirectory("/var/lib/kpatch/" + TestHost.Release);
        await host.Start();
        var patch = new Patch("lp_one");
        host.Drop(patch);
        host.Drop(patch, directory: "/var/lib/kpatch/" + TestHost.Release);
        await host.Becomes("lp_one", "active");
        host.Remove("lp_one.ko");
        host.Barrier();
        await host.Becomes("lp_one", "active", "");
        host.Remove("lp_one.ko", "/var/lib/kpatch/" + TestHost.Release);
        await host.Becomes("lp_one", "reverted");
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task Patches_that_wait_for_others_are_loaded_after_them()
    {
        await using var host = await TestHost.Started();
        host.Write(TestHost.PatchDirectory + "/lp_a.yaml", "schema: 1\nname: lp_a\nafter: [lp_z]\n");
        host.Kernel.Busy = true;
        host.Drop(new Patch("lp_z"));
        await host.Becomes("lp_z", "transitioning");
        host.Drop(new Patch("lp_a"));
        await host.Becomes("lp_a", "held", "waiting-for-others");
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_a", "active");
        Assert.Equal(["load lp_z ok", "load lp_a ok"], host.Kernel.Calls);
    }
}
