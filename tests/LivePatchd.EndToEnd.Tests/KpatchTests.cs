// The kpatch shim against the real daemon: what packages and scripts call, in their order, with the install directory watched and not.
namespace LivePatchd.EndToEnd.Tests;

public sealed class KpatchTests
{
    private const string Installed = "/var/lib/kpatch/" + TestHost.Release;
    private const string NotLoaded = "kpatch: patch module lp_one is not loaded\nkpatch: failed to disable module lp_one\n";

    private static async Task<TestHost> Started(bool watched)
    {
        var host = new TestHost();
        host.MakeDirectory("/var/lib/kpatch");
        if (watched)
            host.Configure("directories: [{path: /var/lib/livepatchd/patches}, {path: /var/lib/kpatch, read-only: true}]\n");
        await host.Start();
        return host;
    }

    private static Task<ToolResult> Kpatch(TestHost host, params string[] arguments) => Tool.Run(
        ["dotnet", Path.Combine(AppContext.BaseDirectory, "livepatchctl.dll"), "kpatch", .. arguments],
        ("LIVEPATCHD_BUS_ADDRESS", host.Bus.Address), ("LIVEPATCHD_ROOT", host.Directory), ("NO_COLOR", "1"));

    /// <summary>A file as a package has it, in no directory that counts.</summary>
    private static string Packaged(TestHost host, Patch patch, string? fileName = null) => host.Drop(patch, fileName, "/usr/share/patches");

    private static string[] Files(TestHost host, string directory) =>
        Directory.Exists(host.Root.Path(directory)) ? [.. Directory.EnumerateFileSystemEntries(host.Root.Path(directory)).Select(p => Path.GetFileName(p)).Order()] : [];

    private static async Task<string> List(TestHost host) => (await Kpatch(host, "list")).Exits(0).Output;

    [Fact]
    public async Task A_file_is_loaded_listed_and_unloaded()
    {
        await using var host = await Started(watched: false);
        var file = Packaged(host, new Patch("lp_one"), "lp-one.ko");
        Assert.StartsWith($"loading patch module: {file}\n", (await Kpatch(host, "load", file)).Exits(0).Output, StringComparison.Ordinal);
        Assert.Equal(["lp_one"], host.Kernel.Active);
        Assert.StartsWith("Loaded patch modules:\nlp_one [enabled]\n\nInstalled patch modules:\n", await List(host), StringComparison.Ordinal);
        Assert.Equal("module named lp_one already loaded and enabled\n", (await Kpatch(host, "load", file)).Exits(0).Output);

        // Between the two it tells of the transition, if that lasts until it looks.
        var unloaded = (await Kpatch(host, "unload", "lp-one")).Exits(0).Output;
        Assert.StartsWith("disabling patch module: lp_one\n", unloaded, StringComparison.Ordinal);
        Assert.EndsWith("\nunloading patch module: lp_one\n", unloaded, StringComparison.Ordinal);
        Assert.False(host.Kernel.Has("lp_one"));
        Assert.StartsWith("Loaded patch modules:\n\n", await List(host), StringComparison.Ordinal);
        Assert.Equal(NotLoaded, (await Kpatch(host, "unload", "lp_one")).Exits(1).Error);
        host.Barrier();
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));

        (await Kpatch(host, "load", file)).Exits(0);
        Assert.Equal(["lp_one"], host.Kernel.Active);
    }

    [Fact]
    public async Task Where_the_directory_is_not_watched_installing_loads_nothing_and_uninstalling_unloads_nothing()
    {
        await using var host = await Started(watched: false);
        (await Kpatch(host, "install", Packaged(host, new Patch("lp_one")))).Exits(0);
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
        Assert.EndsWith($"Installed patch modules:\nlp_one ({TestHost.Release})\n", await List(host), StringComparison.Ordinal);
        (await Kpatch(host, "load", "lp_one")).Exits(0);
        Assert.Equal(["lp_one"], host.Kernel.Active);

        Assert.Contains("stays loaded", (await Kpatch(host, "uninstall", "lp_one")).Exits(0).Error, StringComparison.Ordinal);
        host.Barrier();
        Assert.Equal(["lp_one"], host.Kernel.Active);
        (await Kpatch(host, "unload", "lp_one")).Exits(0);

        // The other order leaves nothing behind that a boot would bring back.
        (await Kpatch(host, "install", Packaged(host, new Patch("lp_two")))).Exits(0);
        (await Kpatch(host, "load", "--all")).Exits(0);
        (await Kpatch(host, "unload", "lp_two")).Exits(0);
        Assert.Equal("", (await Kpatch(host, "uninstall", "lp_two.ko")).Exits(0).Error);
        Assert.Equal(["lp_one.ko"], Files(host, TestHost.PatchDirectory));
        Assert.Empty(Files(host, Installed));
        Assert.Empty(host.Kernel.Active);
    }

    [Fact]
    public async Task Where_the_directory_is_watched_the_daemon_follows_the_files_and_there_are_no_copies()
    {
        await using var host = await Started(watched: true);
        (await Kpatch(host, "install", Packaged(host, new Patch("lp_one"), "lp-one.ko"))).Exits(0);
        (await Kpatch(host, "load", "lp_one")).Exits(0);
        Assert.Equal(["lp_one"], host.Kernel.Active);
        Assert.Empty(Files(host, TestHost.PatchDirectory));

        (await Kpatch(host, "unload", "lp_one")).Exits(0);
        Assert.False(host.Kernel.Has("lp_one"));
        host.Barrier();
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
        (await Kpatch(host, "load", "--all")).Exits(0);
        Assert.Equal(["lp_one"], host.Kernel.Active);

        (await Kpatch(host, "uninstall", "lp_one")).Exits(0);
        await Limit.Until(() => !host.Kernel.Has("lp_one"), () => host.Log.Text);
        // Once more, before the daemon may have looked.
        (await Kpatch(host, "install", Packaged(host, new Patch("lp_one", 2), "lp-one.ko"))).Exits(0);
        (await Kpatch(host, "load", "lp-one.ko")).Exits(0);
        Assert.Equal(["lp_one"], host.Kernel.Active);
        Assert.Empty(Files(host, TestHost.PatchDirectory));
    }

    // rpm runs the new package's %post before the old package's %preun.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_package_upgrade_leaves_the_new_cumulative_patch_alone_in_the_kernel(bool watched)
    {
        await using var host = await Started(watched);
        (await Kpatch(host, "install", "-k", TestHost.Release, Packaged(host, new Patch("lp_one") { Replace = true }))).Exits(0);
        (await Kpatch(host, "load", "lp_one")).Exits(0);
        Assert.Equal(["lp_one"], host.Kernel.Active);

        (await Kpatch(host, "install", "-k", TestHost.Release, Packaged(host, new Patch("lp_two") { Replace = true }))).Exits(0);
        (await Kpatch(host, "load", "lp_two")).Exits(0);
        await host.Becomes("lp_one", "superseded");
        (await Kpatch(host, "uninstall", "-k", TestHost.Release, "lp_one")).Exits(0);
        host.Barrier();
        Assert.Equal(NotLoaded, (await Kpatch(host, "unload", "lp_one")).Exits(1).Error);

        await Limit.Until(() => !host.Kernel.Has("lp_one"), () => host.Log.Text);
        host.Barrier();
        Assert.Equal(["lp_two"], host.Kernel.Active);
        Assert.Equal("active", host.View.Find("lp_two")!.State);
        Assert.Equal(["lp_two.ko"], Files(host, Installed));
        Assert.Equal(watched ? [] : ["lp_two.ko"], Files(host, TestHost.PatchDirectory));
        Assert.Equal((1, 1), (host.Kernel.LoadsOf("lp_one"), host.Kernel.LoadsOf("lp_two")));

        // Nor does it come back when the new one goes.
        (await Kpatch(host, "unload", "lp_two")).Exits(0);
        host.Barrier();
        Assert.Empty(host.Kernel.Active);
    }

    // Some packages unload the old patch before they take its file away.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_old_patch_may_be_unloaded_first_although_it_is_replaced(bool watched)
    {
        await using var host = await Started(watched);
        foreach (var name in (string[])["lp_one", "lp_two"])
        {
            (await Kpatch(host, "install", Packaged(host, new Patch(name) { Replace = true }))).Exits(0);
            (await Kpatch(host, "load", name)).Exits(0);
        }
        await host.Becomes("lp_one", "superseded");
        await Limit.Until(() => !host.Kernel.Has("lp_one"), () => host.Log.Text);
        host.Barrier();
        Assert.Equal("patch module lp_one is not in the kernel, and stays out\n", (await Kpatch(host, "unload", "lp_one")).Exits(0).Output);
        (await Kpatch(host, "uninstall", "lp_one")).Exits(0);
        host.Barrier();
        Assert.Equal(["lp_two"], host.Kernel.Active);
        Assert.Equal(1, host.Kernel.LoadsOf("lp_one"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bad_files_stop_no_good_one(bool watched)
    {
        await using var host = await Started(watched);
        host.Drop("lp_a.ko", "plain text, and long enough to be looked at as a header of an object file"u8.ToArray(), Installed);
        host.Drop(new Patch("lp_b"), directory: Installed);
        host.Drop(new Patch("lp_c") { Release = "5.0.0" }, directory: Installed);
        host.Drop(new Patch("lp_d") { Livepatch = false }, directory: Installed);
        host.Drop("lp_e.ko", new Patch("lp_e").Bytes[..200], Installed);
        host.Drop(new Patch("lp_f"), directory: Installed);
        var run = (await Kpatch(host, "load", "--all")).Exits(1);
        Assert.Equal(["lp_b", "lp_f"], host.Kernel.Active);
        var lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.StartsWith("kpatch: failed to load module ", line, StringComparison.Ordinal));
        Assert.Contains("wrong-kernel", run.Error, StringComparison.Ordinal);
        Assert.Contains("not-a-livepatch", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unload_all_leaves_nothing_and_brings_nothing_back()
    {
        await using var host = await Started(watched: true);
        host.Drop(new Patch("lp_old"), directory: Installed);
        await host.Becomes("lp_old", "active");
        host.Drop(new Patch("lp_new") { Replace = true }, directory: Installed);
        await host.Becomes("lp_old", "superseded");
        await host.Becomes("lp_new", "active");
        (await Kpatch(host, "unload", "--all")).Exits(0);
        host.Barrier();
        Assert.False(host.Kernel.Has("lp_old") || host.Kernel.Has("lp_new"));
        Assert.Equal(1, host.Kernel.LoadsOf("lp_old"));
        // Installed they are still, and the service's call at the next boot asks for them again.
        (await Kpatch(host, "load", "--all")).Exits(0);
        Assert.Contains("lp_new", host.Kernel.Active);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_kpatch_had_loaded_is_taken_over_as_it_stands(bool watched)
    {
        await using var host = await Started(watched);
        var patch = new Patch("lp_one");
        host.Kernel.Insmod(patch);
        await host.Becomes("lp_one", "foreign");
        Assert.StartsWith("Loaded patch modules:\nlp_one [enabled]\n", await List(host), StringComparison.Ordinal);
        Assert.Contains("loaded-by-hand", (await Kpatch(host, "unload", "lp_one")).Exits(1).Error, StringComparison.Ordinal);

        host.Drop(patch, directory: Installed);
        (await Kpatch(host, "load", "--all")).Exits(0);
        await host.Becomes("lp_one", "active");
        Assert.Equal("adopted", host.View.Patch("lp_one")["Origin"]);
        Assert.Empty(host.Kernel.Calls);
        (await Kpatch(host, "unload", "lp_one")).Exits(0);
        Assert.False(host.Kernel.Has("lp_one"));
    }

    [Fact]
    public async Task Another_build_of_what_kpatch_had_loaded_is_not_taken_for_it()
    {
        await using var host = await Started(watched: false);
        host.Kernel.Insmod(new Patch("lp_one", 1));
        var file = Packaged(host, new Patch("lp_one", 2));
        Assert.Contains("name-in-use", (await Kpatch(host, "load", file)).Exits(1).Error, StringComparison.Ordinal);
        Assert.Empty(host.Kernel.Calls);
        Assert.StartsWith("Loaded patch modules:\nlp_one [enabled]\n", await List(host), StringComparison.Ordinal);
        Assert.Contains("failed to unload module lp_one\n", (await Kpatch(host, "unload", "--all")).Exits(1).Error, StringComparison.Ordinal);
        Assert.Equal(["lp_one"], host.Kernel.Active);
    }

    [Fact]
    public async Task A_transition_is_waited_for_and_shown_both_ways()
    {
        await using var host = await Started(watched: false);
        host.Kernel.Busy = true;
        var load = Kpatch(host, "load", Packaged(host, new Patch("lp_one")));
        await host.Becomes("lp_one", "transitioning");
        Assert.Contains("lp_one [enabling...]\n\nStalled processes:\n", await List(host), StringComparison.Ordinal);
        Assert.Contains("Skipping manual process signaling.", (await Kpatch(host, "signal")).Exits(0).Error, StringComparison.Ordinal);
        Assert.False(load.IsCompleted);
        host.Kernel.Complete();
        (await load).Exits(0);

        var unload = Kpatch(host, "unload", "lp_one");
        await host.Becomes("lp_one", "reverting");
        Assert.Contains("lp_one [disabling...]\n\nStalled processes:\n", await List(host), StringComparison.Ordinal);
        host.Kernel.Complete();
        (await unload).Exits(0);
        Assert.False(host.Kernel.Has("lp_one"));
        Assert.Equal("", (await Kpatch(host, "signal")).Exits(0).Error);
    }

    [Fact]
    public async Task A_hold_keeps_a_patch_out_and_is_1()
    {
        await using var host = await Started(watched: false);
        BusView.Value(host.View.Hold("not now"));
        var file = Packaged(host, new Patch("lp_one"));
        Assert.Contains("held (operator-hold): ", (await Kpatch(host, "load", file)).Exits(1).Error, StringComparison.Ordinal);
        Assert.Empty(host.Kernel.Active);
        Assert.Equal("patch module lp_one is not in the kernel, and stays out\n", (await Kpatch(host, "unload", "lp_one")).Exits(0).Output);
        BusView.Value(host.View.Unhold());
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);
    }
}
