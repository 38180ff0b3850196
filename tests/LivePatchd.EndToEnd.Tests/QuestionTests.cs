// Operators' questions, asked of the real daemon: which CVEs are fixed in the running kernel, and what a reboot would lose.
using System.Text.Json;

namespace LivePatchd.EndToEnd.Tests;

public sealed class QuestionTests
{
    private const string Cve = "CVE-2026-1234";
    private const string Other = "6.12.0-next-amd64";

    private static async Task<TestHost> Host(string soak = "duration: 0s")
    {
        var host = new TestHost();
        host.Configure("", soak: soak);
        await host.Start();
        host.Write(TestHost.PatchDirectory + "/lp_one.yaml", $"schema: 1\nname: lp_one\nversion: \"1.2\"\ncves: [{Cve}]\nsha256: {new Patch("lp_one").Digest}\n");
        return host;
    }

    [Fact]
    public async Task A_cve_is_fixed_from_the_proof_on_and_not_a_moment_before()
    {
        await using var host = await Host();
        host.Kernel.Busy = true;
        Assert.Contains("unknown: no patch here names it", (await Check(host)).Exits(1).Output, StringComparison.Ordinal);
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "transitioning");
        Assert.Equal($"{Cve}: not fixed: lp_one 1.2 is transitioning\n", (await Check(host)).Exits(3).Output);
        host.Kernel.Busy = false;
        host.Kernel.Complete();
        await host.Becomes("lp_one", "active");
        Assert.StartsWith($"{Cve}: fixed by lp_one 1.2 since ", (await Check(host)).Exits(0).Output, StringComparison.Ordinal);

        using var vex = JsonDocument.Parse((await Tool.Ctl(host, "check", "--vex", "--root", host.Directory)).Exits(0).Output);
        var statement = Assert.Single(vex.RootElement.GetProperty("statements").EnumerateArray());
        Assert.Equal("fixed", statement.GetProperty("status").GetString());
        Assert.Contains($"livepatch=lp_one version=1.2 sha256={new Patch("lp_one").Digest} build-id={new Patch("lp_one").BuildIdHex}", statement.GetProperty("status_notes").GetString(), StringComparison.Ordinal);

        (await Tool.Ctl(host, "revert", "lp_one")).Exits(0);
        Assert.Equal($"{Cve}: not fixed: lp_one 1.2 is reverted (reverted-by-operator)\n", (await Check(host)).Exits(3).Output);
    }

    [Fact]
    public async Task On_probation_it_is_fixed_and_that_is_said()
    {
        await using var host = await Host("duration: 15m");
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "soaking");
        Assert.Matches($"^{Cve}: fixed by lp_one 1.2 since .*, soaking until ", (await Check(host)).Exits(0).Output);
    }

    [Fact]
    public async Task A_successor_takes_the_claim_with_it_unless_its_own_manifest_makes_it()
    {
        await using var host = await Host();
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Drop(new Patch("lp_two") { Replace = true });
        await host.Becomes("lp_two", "active");
        // Replaced, it is on its way out until the kernel has let go of it.
        await Limit.Until(() => !host.Kernel.Has("lp_one"), () => host.Log.Text);
        await host.Becomes("lp_one", "superseded");
        Assert.Contains("unknown: lp_one 1.2 is superseded", (await Check(host)).Exits(1).Output, StringComparison.Ordinal);
        host.Write(TestHost.PatchDirectory + "/lp_two.yaml", $"schema: 1\ncves: [{Cve}]\nsha256: {new Patch("lp_two") { Replace = true }.Digest}\n");
        await Limit.Until(() => host.View.Patch("lp_two")["Cves"] is string[] { Length: 1 }, () => host.Log.Text);
        Assert.StartsWith($"{Cve}: fixed by lp_two since ", (await Check(host)).Exits(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reboot_into_a_kernel_without_the_patch_loses_the_fix()
    {
        await using var host = await Host();
        foreach (var release in new[] { TestHost.Release, Other })
            host.Write($"/lib/modules/{release}/modules.dep", "");
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        (await Readiness(host, TestHost.Release)).Exits(0);
        Assert.Contains($"Lost: {Cve}, fixed now by lp_one 1.2", (await Readiness(host, Other)).Exits(3).Output, StringComparison.Ordinal);

        var directory = $"/var/lib/livepatchd/patches/{Other}";
        host.Drop(new Patch("lp_one") { Release = Other }, directory: directory);
        host.Write($"{directory}/lp_one.yaml", $"schema: 1\ncves: [{Cve}]\nsha256: {new Patch("lp_one") { Release = Other }.Digest}\n");
        (await Readiness(host, Other)).Exits(0);

        (await Tool.Ctl(host, "revert", "lp_one")).Exits(0);
        (await Tool.Ctl(host, "apply", "lp_one")).Exits(0);
        (await Readiness(host, Other)).Exits(0);
    }

    [Fact]
    public async Task Every_watched_directory_of_the_configuration_is_looked_into()
    {
        await using var host = await Host();
        host.Write($"/lib/modules/{Other}/modules.dep", "");
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "active");
        host.Drop(new Patch("lp_one") { Release = Other }, directory: $"/srv/patches/{Other}");
        host.Write($"/srv/patches/{Other}/lp_one.yaml", $"schema: 1\ncves: [{Cve}]\nsha256: {new Patch("lp_one") { Release = Other }.Digest}\n");
        (await Readiness(host, Other)).Exits(3);
        host.Configure("directories: [{path: /var/lib/livepatchd/patches}, {path: /srv/patches, read-only: true}]\n");
        host.Hangup();
        await Limit.Until(() => host.View.Manager()["Directories"] is string[] { Length: 2 }, () => host.Log.Text);
        (await Readiness(host, Other)).Exits(0);
    }

    [Fact]
    public async Task AManifestThatNamesCves_WithoutTheBytesThatFixThem_IsRefused()
    {
        await using var host = await TestHost.Started();
        host.Write(TestHost.PatchDirectory + "/lp_one.yaml", $"cves: [{Cve}]\n");
        host.Drop(new Patch("lp_one"));
        await host.Becomes("lp_one", "rejected", "invalid-manifest");
        Assert.Contains("sha256", (string)host.View.Patch("lp_one")["Detail"], StringComparison.Ordinal);
        // Of another build it speaks as little.
        host.Write(TestHost.PatchDirectory + "/lp_one.yaml", $"cves: [{Cve}]\nsha256: {new Patch("lp_one").Digest}\n");
        await host.Becomes("lp_one", "active");
        host.Drop(new Patch("lp_one", 2));
        await host.Becomes("lp_one", "active", "manifest-mismatch");
        BusView.Value(host.View.Unstage("lp_one"));
        await host.Becomes("lp_one", "reverted", "removed-from-directory");
        Assert.Empty(Directory.EnumerateFileSystemEntries(host.Root.Path(TestHost.PatchDirectory)));
    }

    private static Task<ToolResult> Check(TestHost host) => Tool.Ctl(host, "check", "--cve", Cve);

    private static Task<ToolResult> Readiness(TestHost host, string kernel) => Tool.Ctl(host, "readiness", kernel, "--root", host.Directory);
}
