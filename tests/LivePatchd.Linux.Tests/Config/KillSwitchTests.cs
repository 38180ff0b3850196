// The kill switches: each is seen, the strictest wins, and what cannot be understood does not mean "go on".
using CsCheck;
using LivePatchd.Linux.Config;

namespace LivePatchd.Linux.Tests.Config;

public sealed class KillSwitchTests
{
    [Theory]
    [InlineData("", KillSwitchLevel.None)]
    [InlineData("root=/dev/vda ro quiet\n", KillSwitchLevel.None)]
    [InlineData("livepatchd.mode=apply\n", KillSwitchLevel.None)]
    [InlineData("quiet livepatchd.mode=observe\n", KillSwitchLevel.Observe)]
    [InlineData("livepatchd.mode=off quiet\n", KillSwitchLevel.Off)]
    [InlineData("livepatchd.mode=off livepatchd.mode=apply\n", KillSwitchLevel.Off)]
    [InlineData("livepatchd.mode=observe livepatchd.mode=off\n", KillSwitchLevel.Off)]
    [InlineData("livepatchd.mode=banana\n", KillSwitchLevel.Observe)]
    [InlineData("livepatchd.mode=\n", KillSwitchLevel.Observe)]
    [InlineData("kpatch.enable=0\n", KillSwitchLevel.Observe)]
    [InlineData("kpatch.enable=1\n", KillSwitchLevel.None)]
    [InlineData("\"livepatchd.mode=off\"\n", KillSwitchLevel.Off)]
    [InlineData("livepatchd.mode=\"off\"\n", KillSwitchLevel.Off)]
    [InlineData("foo=\"a livepatchd.mode=off b\"\n", KillSwitchLevel.None)]
    [InlineData("foo=\"a livepatchd.mode=off\n", KillSwitchLevel.Off)]
    [InlineData("xlivepatchd.mode=off livepatchd.mode\n", KillSwitchLevel.None)]
    public void Reads_the_kernel_command_line(string commandLine, KillSwitchLevel level)
    {
        using var root = new TempRoot().Write("/proc/cmdline", commandLine);
        var found = KillSwitch.Read(root.Root);
        Assert.Equal(level, found.Level);
        Assert.Equal(level == KillSwitchLevel.None, found.Source.Length == 0);
    }

    [Fact]
    public void Nothing_there_is_no_switch()
    {
        using var root = new TempRoot();
        Assert.Equal(KillSwitch.None, KillSwitch.Read(root.Root));
    }

    [Theory]
    [InlineData("file")]
    [InlineData("link")]
    [InlineData("directory")]
    public void The_file_disables_whatever_it_is(string kind)
    {
        using var root = new TempRoot().Write("/proc/cmdline", "livepatchd.mode=apply\n");
        var path = root["/etc/livepatchd/disabled"];
        if (kind == "file")
            root.Write("/etc/livepatchd/disabled", "");
        else if (kind == "link")
            root.Link("/etc/livepatchd/disabled", "nowhere");
        else
            Directory.CreateDirectory(path);
        Assert.Equal(new KillSwitch(KillSwitchLevel.Observe, path), KillSwitch.Read(root.Root));
    }

    [Fact]
    public void Off_is_stricter_than_the_file()
    {
        using var root = new TempRoot().Write("/proc/cmdline", "livepatchd.mode=off").Write("/etc/livepatchd/disabled", "");
        Assert.Equal(KillSwitchLevel.Off, KillSwitch.Read(root.Root).Level);
    }

    [Fact]
    public void A_command_line_that_cannot_be_read_counts_as_a_switch()
    {
        using var root = new TempRoot();
        Directory.CreateDirectory(root["/proc/cmdline"]);
        Assert.Equal(KillSwitchLevel.Observe, KillSwitch.Read(root.Root).Level);
    }

    [Fact]
    public void The_configuration_plays_no_part()
    {
        using var root = new TempRoot().Write("/etc/livepatchd/livepatchd.yaml", "mode: [").Write("/proc/cmdline", "livepatchd.mode=off");
        Assert.Equal(KillSwitchLevel.Off, KillSwitch.Read(root.Root).Level);
    }

    [Fact]
    public void An_off_word_is_found_wherever_it_stands() =>
        Gen.Select(Gen.OneOf(Gen.Const("quiet"), Gen.Const("ro"), Gen.Const("a=b"), Gen.Const("x=\"y z\"")).Array[0, 6], Gen.Int[0, 6]).Sample((words, at) =>
        {
            var all = words.ToList();
            all.Insert(Math.Min(at, all.Count), "livepatchd.mode=off");
            Assert.Equal(KillSwitchLevel.Off, KillSwitch.FromCommandLine(string.Join(' ', all)).Level);
        });

    [Fact]
    public void Any_command_line_is_survived() =>
        Gen.String.Sample(line => Assert.True(LivePatchd.Core.Config.ConfigText.IsOneLine(KillSwitch.FromCommandLine("livepatchd.mode=" + line).Source)));
}
