// Records of crashes under a root: what pstore holds now, what systemd-pstore put away, and what is none.
using LivePatchd.Linux.Kernel;

namespace LivePatchd.Linux.Tests.Kernel;

public sealed class CrashFilesTests : IDisposable
{
    private readonly FakeRoot files = new();

    public void Dispose() => files.Dispose();

    private void Put(string path, string text, int second = 0)
    {
        files.Write(path, text);
        File.SetLastWriteTimeUtc(files.Path(path), DateTime.UnixEpoch.AddSeconds(1_700_000_000 + second));
    }

    private string[] Names() => [.. CrashFiles.Read(files.Root).Select(static f => f.Name)];

    [Fact]
    public void Read_NeitherDirectory_Empty() => Assert.Empty(Names());

    [Fact]
    public void Read_PstoreAndArchive_EachNameOnceNewestFirst()
    {
        Put("/sys/fs/pstore/dmesg-erst-2", "from pstore", 2);
        Put("/var/lib/systemd/pstore/dmesg-erst-2", "a copy", 2);
        Put("/var/lib/systemd/pstore/1700000000/dmesg-efi-1", "by time", 1);
        Put("/var/lib/systemd/pstore/1700000000/001/dmesg-efi-3", "by time and number", 3);
        Put("/var/lib/systemd/pstore/1700000000/001/deeper/dmesg-efi-4", "too deep", 4);
        Put("/var/lib/systemd/pstore/1700000000/dmesg.txt", "put together by systemd", 4);
        Put("/sys/fs/pstore/pmsg-ramoops-0", "of programs", 4);
        var read = CrashFiles.Read(files.Root);
        Assert.Equal([("dmesg-erst-2", "from pstore"), ("dmesg-efi-3", "by time and number"), ("dmesg-efi-1", "by time")], read.Select(static f => (f.Name, f.Text)));
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_700_000_002), read[0].WrittenAt);
    }

    [Fact]
    public void Read_LargeRecord_ItsEnd()
    {
        Put("/sys/fs/pstore/console-ramoops-0", new string('x', 100_000) + "the end");
        var text = Assert.Single(CrashFiles.Read(files.Root)).Text;
        Assert.Equal(64 * 1024, text.Length);
        Assert.EndsWith("the end", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ManyCrashes_TheNewest()
    {
        for (var i = 0; i < 80; i++)
            Put($"/var/lib/systemd/pstore/dmesg-efi-{i:D3}", "x", i);
        var names = Names();
        Assert.Equal(64, names.Length);
        Assert.Equal("dmesg-efi-079", names[0]);
    }

    [Fact]
    public void Read_LinksAndPipes_AreNotFollowedNorWaitedFor()
    {
        Put("/etc/secret", "no record");
        files.MakeDirectory("/sys/fs/pstore");
        File.CreateSymbolicLink(files.Path("/sys/fs/pstore/dmesg-efi-1"), files.Path("/etc/secret"));
        Assert.Equal(0, FakeRoot.mkfifo(files.Path("/sys/fs/pstore/dmesg-efi-2"), 0x180));
        Assert.Empty(Names());
    }
}
