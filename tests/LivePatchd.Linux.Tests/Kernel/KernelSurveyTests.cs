// What the kernel says of itself, read as it stands and bounded.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Tests.Kernel;

public sealed class KernelSurveyTests
{
    [Fact]
    public void The_tree_is_listed_as_it_is_and_livepatches_are_told_from_modules()
    {
        using var root = new FakeRoot();
        root.Write("/sys/kernel/livepatch/lp_one/enabled", "1\n");
        root.Write("/sys/kernel/livepatch/lp_one/vmlinux/patched", "0\n");
        root.MakeDirectory("/sys/kernel/livepatch/lp_one/vmlinux/f,1");
        root.Write("/sys/kernel/livepatch/odd\e[31m", "x");
        root.Write("/sys/module/lp_one/taint", "OEK\n");
        root.Write("/sys/module/lp_one/initstate", "live\n");
        root.Write("/sys/module/lp_one/refcnt", "1\n");
        root.Write("/sys/module/ext4/taint", "\n");
        root.Write("/proc/cmdline", "quiet\n");
        var survey = KernelSurvey.Read(root.Root);
        Assert.Equal(["odd?[31m x", "lp_one/", "lp_one/enabled 1", "lp_one/vmlinux/", "lp_one/vmlinux/patched 0", "lp_one/vmlinux/f,1/"], survey.Tree);
        Assert.Equal([new LivepatchModule("lp_one", "live", "1", "OEK", "")], survey.Modules);
        Assert.Equal(("quiet", "", false), (survey.CommandLine, survey.Lockdown, survey.Cut));
    }

    [Fact]
    public void A_tree_too_large_is_cut_and_says_so()
    {
        using var root = new FakeRoot();
        for (var i = 0; i < 4100; i++)
            root.MakeDirectory($"/sys/kernel/livepatch/lp_one/vmlinux/f{i},1");
        var survey = KernelSurvey.Read(root.Root);
        Assert.Equal(4000, survey.Tree.Length);
        Assert.True(survey.Cut);
    }

    [Fact]
    public void Nothing_there_is_nothing_read()
    {
        using var root = new FakeRoot();
        var survey = KernelSurvey.Read(root.Root);
        Assert.Empty(survey.Tree);
        Assert.Empty(survey.Modules);
        Assert.Equal(Errno.ENOENT, KernelLogTail.Read(root.Root, 10).Errno);
        Assert.Empty(FileTail.Read(root.Root, "/none", 10).Value!.Bytes);
    }

    [Fact]
    public void The_real_log_gives_its_newest_lines_in_order()
    {
        var tail = KernelLogTail.Read(SystemRoot.Host, 50);
        Assert.SkipUnless(tail.IsOk, $"/dev/kmsg: {tail.Errno}");
        Assert.InRange(tail.Value.Length, 0, 50);
        Assert.All(tail.Value, r => Assert.True(r.FromKernel));
        Assert.Equal(tail.Value.Select(r => r.Sequence).Order(), tail.Value.Select(r => r.Sequence));
    }

    [Fact]
    public void The_end_of_a_file_is_read_and_no_more()
    {
        using var root = new FakeRoot();
        root.Write("/a", "0123456789");
        Assert.Equal("6789"u8, FileTail.Read(root.Root, "/a", 4).Value!.Bytes);
        Assert.False(FileTail.Read(root.Root, "/a", 4).Value!.Whole);
        Assert.True(FileTail.Read(root.Root, "/a", 10).Value!.Whole);
        root.MakeDirectory("/d");
        Assert.Equal(Errno.EINVAL, FileTail.Read(root.Root, "/d", 10).Errno);
    }
}
