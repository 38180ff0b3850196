// Signatures, denials, streams and their one way back, as people and the bus see them.
using System.Security.Cryptography;
using System.Text;
using LivePatchd.Linux.Tests.Trust;

namespace LivePatchd.EndToEnd.Tests;

public sealed class TrustTests
{
    private const string Keys = "/etc/livepatchd/keys.d";
    private const string Denials = "/etc/livepatchd/deny.d";

    private static readonly Patch One = new("lp_one");

    [Fact]
    public async Task A_denied_digest_goes_out_of_the_kernel_at_once_and_comes_back_with_the_denial_gone()
    {
        await using var host = await TestHost.Started();
        host.Drop(One);
        await host.Becomes("lp_one", "active");
        var denial = host.Write($"{Denials}/{One.Digest}", "CVE-2030-1\n");
        await host.Becomes("lp_one", "rejected", "denied");
        Assert.Equal(["load lp_one ok", "disable lp_one ok", "unload lp_one ok"], host.Kernel.Calls);
        Assert.True(host.Log.Says("lp_one", "denied"), host.Log.Text);
        BusView.Refused(host.View.Stage(File.OpenHandle(Path(host, One)), "../lp_one.ko"), "InvalidArgument", "bad-file-name");

        File.Delete(denial);
        await host.Becomes("lp_one", "active");
    }

    [Fact]
    public async Task Without_the_signature_that_is_asked_for_nothing_is_loaded_and_with_it_the_signer_is_shown()
    {
        using var author = Author.Rsa("author");
        await using var host = new TestHost();
        host.Configure("trust: {require: module-signature}\n");
        host.Drop(One);
        await host.Start();
        await host.Becomes("lp_one", "rejected", "trust-unavailable");
        host.Write($"{Keys}/author.pem", Encoding.ASCII.GetString(author.Pem));
        await host.Becomes("lp_one", "rejected", "signature-missing");
        host.Barrier();
        Assert.Empty(host.Kernel.Calls);

        host.Drop("lp_one.ko", author.SignModule(One.Bytes));
        await host.Becomes("lp_one", "active");
        var shown = host.View.Patch("lp_one");
        Assert.Equal(("CN=author", "verified"), (shown["Signer"], shown["Signature"]));
        var ctl = await Tool.Ctl(host, "show", "lp_one");
        Assert.Contains("CN=author (verified)", ctl.Exits(0).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_may_not_come_in_does_not_push_out_what_is_in()
    {
        using var author = Author.Rsa("author");
        await using var host = new TestHost();
        host.Configure("trust: {require: module-signature}\n");
        host.Write($"{Keys}/author.pem", Encoding.ASCII.GetString(author.Pem));
        host.Drop("lp_one.ko", author.SignModule(One.Bytes));
        await host.Start();
        await host.Becomes("lp_one", "active");
        host.Drop(One with { Build = 2 });
        await host.Becomes("lp_one", "active", "signature-missing");
        host.Barrier();
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    [Fact]
    public async Task An_older_patch_is_let_in_by_an_operator_alone_and_that_is_written_down()
    {
        var newer = One with { Build = 2 };
        await using var host = await TestHost.Started();
        Put(host, newer, 2);
        await host.Becomes("lp_one", "active");
        await Limit.Until(() => File.ReadAllText(host.Root.Path(TestHost.JournalPath)).Contains("MarkRaised", StringComparison.Ordinal), () => host.Log.Text);

        Put(host, One, 1);
        await host.Becomes("lp_one", "active", "rollback");
        Assert.Equal("done", await host.View.Result(BusView.Value(host.View.Ask("Apply", "lp_one", ("override-gates", true)))));
        await host.Becomes("lp_one", "active", "rollback");
        Assert.Equal(newer.BuildIdHex, host.View.Patch("lp_one")["BuildId"]);
        BusView.Refused(host.View.Ask("Apply", "lp_one", ("downgrade", "yes")), "InvalidArgument", "boolean");
        BusView.Refused(host.View.Ask("Revert", "lp_one", ("downgrade", true)), "InvalidArgument", "knows no option");

        (await Tool.Ctl(host, "apply", "lp_one", "--downgrade")).Exits(0);
        await Limit.Until(() => (string)host.View.Patch("lp_one")["BuildId"] == One.BuildIdHex, () => host.Log.Text);
        Assert.Equal(1, host.Log.Count("lets it be loaded although its stream is further (core 1)"));

        Put(host, One with { Build = 3 }, 3);
        await Limit.Until(() => (string)host.View.Patch("lp_one")["BuildId"] == (One with { Build = 3 }).BuildIdHex, () => host.Log.Text);
    }

    [Fact]
    public async Task The_mark_survives_a_reboot_and_an_empty_directory()
    {
        await using var host = await TestHost.Started();
        Put(host, One with { Build = 2 }, 2);
        await host.Becomes("lp_one", "active");
        await Limit.Until(() => File.ReadAllText(host.Root.Path(TestHost.JournalPath)).Contains("MarkRaised", StringComparison.Ordinal), () => host.Log.Text);
        await host.Stop();
        Directory.Delete(host.Root.Path(TestHost.PatchDirectory), recursive: true);
        host.Kernel.DisableByHand("lp_one");
        host.Kernel.Complete();
        host.Kernel.Free();
        host.Kernel.Rmmod("lp_one");
        host.Boot("22222222-2222-4222-8222-222222222222");
        host.Kernel = new TestKernel(host.Root);
        host.MakeDirectory(TestHost.PatchDirectory);
        Put(host, One, 1);
        await host.Start();
        await host.Becomes("lp_one", "rejected", "rollback");
        Assert.Empty(host.Kernel.Calls);
    }

    private static string Path(TestHost host, Patch patch) => host.Root.Path($"{TestHost.PatchDirectory}/{patch.FileName}");

    private static void Put(TestHost host, Patch patch, int sequence)
    {
        host.Write($"{TestHost.PatchDirectory}/{patch.Name}.yaml", $"stream: core\nsequence: {sequence}\nsha256: {Convert.ToHexStringLower(SHA256.HashData(patch.Bytes))}\n");
        host.Drop(patch);
    }
}
