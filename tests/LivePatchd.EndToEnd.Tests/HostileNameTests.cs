// Sixty names that nobody means well with: each is refused with a reason, and bus, metrics and log stay well-formed.
using System.Runtime.InteropServices;
using System.Text;
using LivePatchd.Core.Parsing;

namespace LivePatchd.EndToEnd.Tests;

public sealed partial class HostileNameTests
{
    private const int ReadWriteCreate = 0x42;

    // In a directory: any bytes but '/' and NUL. All end in .ko, so that none is passed over as somebody else's file.
    private static readonly byte[][] InDirectory =
    [
        .. new[]
        {
            "a b.ko", " .ko", "\t.ko", "a\n.ko", "\n.ko", "a\r\nb.ko", "a\u001b[31mred.ko", "\u001b]0;title\u0007.ko", "a\u0007.ko", "a\b\b\b.ko",
            "\u0001.ko", "\u007f.ko", "a\u001b[2J.ko", "a\u009b31m.ko", "\u061c.ko", "\u2066a.ko", "a\tb.ko", "a\vb.ko", "a\fb.ko", "a..ko", "~.ko", "-.ko.ko", "--help .ko", "$(reboot).ko", "`id`.ko", ";ls.ko", "a|b.ko", "a&b.ko",
            "a>b.ko", "*.ko", "?.ko", "[a].ko", "{a,b}.ko", "a\\b.ko", "\"a\".ko", "'a'.ko", "a=b.ko", "a:b.ko", "a%n%s.ko", "%00.ko", "a#b.ko", "a@b.ko",
            "a+b.ko", "a,b.ko", "a.b.ko", "lp_one.ko.ko", "\u00e4.ko", "\u0430.ko", "\u200b.ko", "a\u202eok.b.ko", "\ufeff.ko", "a\u2028b.ko", "\u0085.ko", "\ud83d\ude00.ko",
            "patch{state=\"active\"}.ko", "PRIORITY=0.ko", "lp\u00ad.ko", new string('a', 56) + ".ko", new string('a', 252) + ".ko",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF, .. ".ko"u8],
        [0xC0, 0xAF, .. ".ko"u8],
        [0xED, 0xA0, 0x80, .. ".ko"u8],
        [(byte)'a', 0x80, (byte)'\n', 0x1B, .. ".ko"u8],
        [0xF5, 0x80, 0x80, 0x80, .. ".ko"u8],
        [.. Enumerable.Repeat((byte)0xFE, 252), .. ".ko"u8],
    ];

    // Handed over with a descriptor: any text at all.
    private static readonly string[] Staged =
    [
        "", ".ko", "..", "../lp_one.ko", "/lp_one.ko", "/etc/passwd", "a/../lp_one.ko", "./lp_one.ko", ".lp_one.ko", "lp_one", "lp_one.ko/", "lp_one.ko\n",
        "lp\u001b[0m.ko", "lp_\u00e4.ko", new string('a', 252) + ".ko", "lp_one.ko.zip", "lp one.ko", "-.ko.sh",
    ];

    [Fact]
    public async Task Each_is_refused_and_everything_stays_readable()
    {
        Assert.True(InDirectory.Length >= 60);
        await using var host = await TestHost.Started();
        try
        {
            await Check(host);
        }
        finally
        {
            // What is no text cannot be named by whoever tidies up.
            foreach (var name in InDirectory)
                _ = Unlink(PathOf(host, name));
        }
    }

    private static async Task Check(TestHost host)
    {
        var module = new Patch("lp_hostile").Bytes;
        foreach (var name in InDirectory)
            Create(host, name, module);
        host.Drop(new Patch("lp_good"));
        await host.Becomes("lp_good", "active");
        host.Barrier();

        var refused = (object[])host.View.Manager()["RefusedFiles"];
        Assert.Equal(InDirectory.Length, refused.Length);
        foreach (var file in refused.Cast<object[]>())
        {
            Assert.Equal("bad-file-name", file[1]);
            Assert.All(file, text => Assert.Equal((string)text, Plain((string)text)));
        }
        Assert.Equal(["lp_good"], host.View.List().Value!.Select(p => p.Name));
        Assert.All(host.View.List().Value!, p => Assert.Matches("^/org/livepatchd1/patch/[A-Za-z0-9_]+$", p.Path));
        Assert.Equal(["load lp_good ok"], host.Kernel.Calls);
        Assert.All(host.Log.Records, r => Assert.All(r, field =>
        {
            Assert.Matches("^[A-Z0-9_]+$", field.Key);
            Assert.Equal(field.Value, Plain(field.Value));
        }));
        var metrics = (await Scrape.From(host.MetricsSocket)).Text;
        Assert.All(metrics.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.Matches(@"^(# (HELP|TYPE|UNIT|EOF)|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^\n]*\})? [0-9eE.+\-NaInf]+)", line));
        Assert.DoesNotContain("hostile", metrics, StringComparison.Ordinal);
        (await Tool.Ctl(host, "status", "--json")).Exits(0);
    }

    [Fact]
    public async Task None_is_a_name_to_stage_under()
    {
        await using var host = await TestHost.Started();
        var module = Path.Combine(host.Directory, "module");
        File.WriteAllBytes(module, new Patch("lp_one").Bytes);
        foreach (var name in Staged)
        {
            var answer = host.View.Stage(File.OpenHandle(module), name);
            Assert.False(answer.IsOk, name);
            Assert.Equal("org.livepatchd1.Error.InvalidArgument", answer.Error!.Name);
            Assert.Equal(answer.Error.Message, Plain(answer.Error.Message));
        }
        Assert.Empty(Directory.GetFileSystemEntries(host.Root.Path(TestHost.PatchDirectory)));
        Assert.Equal("lp_one", BusView.Value(host.View.Stage(File.OpenHandle(module), "lp-one.ko")));
        await host.Becomes("lp_one", "active");
    }

    [Fact]
    public async Task Twins_that_differ_in_a_dash_are_one_name()
    {
        await using var host = await TestHost.Started();
        host.Drop(new Patch("lp_one"), "lp-one.ko");
        await host.Becomes("lp_one", "active");
        host.Drop(new Patch("lp_one", Build: 2), "lp_one.ko");
        await host.Becomes("lp_one", "active", "duplicate-name");
        host.Barrier();
        Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
    }

    private static void Create(TestHost host, byte[] name, byte[] content)
    {
        using var file = new Microsoft.Win32.SafeHandles.SafeFileHandle(Open(PathOf(host, name), ReadWriteCreate, 0x1A4), ownsHandle: true);
        Assert.False(file.IsInvalid, Encoding.Latin1.GetString(name));
        RandomAccess.Write(file, content, 0);
    }

    /// <summary>Without anything that could break, hide or colour a line.</summary>
    private static string Plain(string text) => Printable.Line(text, 1 << 16);

    private static byte[] PathOf(TestHost host, byte[] name) => [.. Encoding.UTF8.GetBytes(host.Root.Path(TestHost.PatchDirectory) + "/"), .. name, 0];

    [LibraryImport("libc", EntryPoint = "unlink", SetLastError = true)]
    private static partial int Unlink(byte[] path);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    private static partial int Open(byte[] path, int flags, uint mode);
}
