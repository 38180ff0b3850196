// Files handed over as descriptors: whole and verified, or refused with their reason and leaving nothing.
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.EndToEnd.Tests;

public sealed class StageTests
{
    private static SafeFileHandle Open(TestHost host, byte[] content)
    {
        var path = Path.Combine(host.Directory, $"staged-{Guid.NewGuid():N}");
        File.WriteAllBytes(path, content);
        return File.OpenHandle(path);
    }

    private static string[] Files(TestHost host) =>
        [.. Directory.EnumerateFileSystemEntries(host.Root.Path(TestHost.PatchDirectory)).Select(p => Path.GetFileName(p)).Order()];

    [Fact]
    public async Task A_good_file_is_staged_applied_and_unstaged()
    {
        await using var host = await TestHost.Started();
        using (var file = Open(host, new Patch("lp_one").Bytes))
            Assert.Equal("lp_one", BusView.Value(host.View.Stage(file, "lp-one.ko")));
        await host.Becomes("lp_one", "active");
        Assert.Equal(["lp-one.ko"], Files(host));
        BusView.Value(host.View.Unstage("lp_one"));
        await host.Becomes("lp_one", "reverted", "removed-from-directory");
        Assert.Empty(Files(host));
    }

    [Fact]
    public async Task AManifestBesideTheFile_StagedByTheTool_TravelsWithItAndGoesWithIt()
    {
        await using var host = await TestHost.Started();
        var patch = new Patch("lp_one");
        var mine = Directory.CreateDirectory(Path.Combine(host.Directory, "mine")).FullName;
        await File.WriteAllBytesAsync($"{mine}/lp_one.ko", patch.Bytes, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync($"{mine}/lp_one.yaml", $"version: \"1.2\"\ncves: [CVE-2026-1234]\nsha256: {patch.Digest}\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync($"{mine}/lp_one.yaml.p7s", "no signature", TestContext.Current.CancellationToken);
        (await Tool.Ctl(host, "apply", $"{mine}/lp_one.ko")).Exits(0);
        Assert.Equal(["lp_one.ko", "lp_one.yaml", "lp_one.yaml.p7s"], Files(host));
        Assert.Equal(["CVE-2026-1234"], (string[])host.View.Patch("lp_one")["Cves"]);
        (await Tool.Ctl(host, "unstage", "lp_one")).Exits(0);
        await host.Becomes("lp_one", "reverted", "removed-from-directory");
        Assert.Empty(Files(host));
    }

    [Fact]
    public async Task Staging_a_new_build_under_the_same_file_name_replaces_it()
    {
        await using var host = await TestHost.Started();
        for (var build = 1; build <= 2; build++)
        {
            var patch = new Patch("lp_one", build);
            using var file = Open(host, patch.Bytes);
            BusView.Value(host.View.Stage(file, "lp_one.ko"));
            await Limit.Until(() => host.View.Find("lp_one") is { State: "active" } p && p.Sha256 == patch.Digest);
        }
        Assert.Equal(2, host.Kernel.LoadsOf("lp_one"));
    }

    [Fact]
    public async Task Bad_files_are_refused_each_by_its_reason_and_leave_nothing()
    {
        await using var host = await TestHost.Started();
        (byte[] Content, string Name, string Error, string Reason)[] bad =
        [
            (new Patch("lp_one") { Release = "5.0.0" }.Bytes, "lp_one.ko", "WrongKernel", "wrong-kernel"),
            (new Patch("lp_one") { Livepatch = false }.Bytes, "lp_one.ko", "InvalidArgument", "not-a-livepatch"),
            (new Patch("lp_one").Bytes[..200], "lp_one.ko", "InvalidArgument", "truncated-file"),
            ("plain text, and long enough to be looked at as a header of an object file"u8.ToArray(), "lp_one.ko", "InvalidArgument", "not-an-elf-file"),
            ([], "lp_one.ko", "InvalidArgument", "file-too-large"),
            (new byte[(64 << 20) + 1], "lp_one.ko", "InvalidArgument", "file-too-large"),
            ("not gzip"u8.ToArray(), "lp_one.ko.gz", "InvalidArgument", "corrupt-compression"),
            (new Patch("lp_one").Bytes, "../lp_one.ko", "InvalidArgument", "bad-file-name"),
            (new Patch("lp_one").Bytes, "lp_one", "InvalidArgument", "bad-file-name"),
            (new Patch("lp_one").Bytes, ".lp_one.ko", "InvalidArgument", "bad-file-name"),
            (new Patch("lp_one").Bytes, "lp one.ko", "InvalidArgument", "bad-file-name"),
            (new Patch("lp_one").Bytes, "lp_one.ko\n", "InvalidArgument", "bad-file-name"),
        ];
        foreach (var (content, name, error, reason) in bad)
        {
            using var file = Open(host, content);
            BusView.Refused(host.View.Stage(file, name), error, reason);
            Assert.Empty(Files(host));
        }
        using (var file = Open(host, new Patch("lp_one").Bytes))
            BusView.Refused(host.View.Stage(file, "lp_one.ko", ("overwrite", true)), "InvalidArgument", "overwrite");
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
    }

    [Fact]
    public async Task A_request_to_stage_waits_for_a_slow_load_and_the_loop_goes_on()
    {
        await using var host = await TestHost.Started();
        host.Kernel.LoadGate.Reset();
        host.Drop(new Patch("lp_slow"));
        await host.Becomes("lp_slow", "loading");

        using var other = host.Connect();
        using var file = Open(host, new Patch("lp_one").Bytes);
        var staged = Task.Run(() => other.Stage(file, "lp_one.ko"), TestContext.Current.CancellationToken);
        // An answer from the loop itself, given after the request to stage was seen and put off.
        await Limit.Until(() => host.View.Ask("Revert", "lp_none").Error?.Name == "org.livepatchd1.Error.NoSuchPatch");
        Assert.False(staged.IsCompleted);
        host.Kernel.LoadGate.Set();
        Assert.Equal("lp_one", BusView.Value(await staged));
        await host.Becomes("lp_one", "active");
        await host.Becomes("lp_slow", "active");
    }

    [Fact]
    public async Task What_was_staged_can_be_unstaged_at_once()
    {
        await using var host = await TestHost.Started();
        for (var i = 0; i < 10; i++)
        {
            using var file = Open(host, new Patch($"lp_{i}").Bytes);
            BusView.Value(host.View.Stage(file, $"lp_{i}.ko"));
            BusView.Value(host.View.Unstage($"lp_{i}"));
            Assert.Empty(Files(host));
        }
        await Limit.Until(() => !host.Kernel.Active.Any(), () => host.Log.Text);
    }

    [Fact]
    public async Task What_is_no_file_is_refused_at_once_and_not_waited_for()
    {
        await using var host = await TestHost.Started();
        var pipe = Path.Combine(host.Directory, "pipe");
        (await Tool.Run(["mkfifo", pipe])).Exits(0);
        // Open for writing as well, so that a reader would wait for ever.
        using var file = File.OpenHandle(pipe, FileMode.Open, FileAccess.ReadWrite);
        BusView.Refused(host.View.Stage(file, "lp_one.ko"), "InvalidArgument", "not-a-regular-file");
        host.Drop(new Patch("lp_two"));
        await host.Becomes("lp_two", "active");
    }

    [Fact]
    public async Task With_read_only_directories_alone_nothing_can_be_staged_or_unstaged()
    {
        await using var host = new TestHost();
        host.Configure("directories: [{path: /var/lib/livepatchd/patches, read-only: true}]\n");
        await host.Start();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        using var file = Open(host, new Patch("lp_two").Bytes);
        BusView.Refused(host.View.Stage(file, "lp_two.ko"), "org.freedesktop.DBus.Error.Failed", "EROFS");
        BusView.Refused(host.View.Unstage("lp_one"), "org.freedesktop.DBus.Error.Failed", "read-only in the configuration");
        BusView.Refused(host.View.Unstage("lp_two"), "NoSuchPatch");
        Assert.Equal(["lp_one"], host.Kernel.Active);
    }
}
