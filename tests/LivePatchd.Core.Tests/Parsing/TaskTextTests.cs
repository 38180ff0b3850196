// The files of /proc/PID, and /proc/softirqs.
using System.Text;
using CsCheck;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Tests.Parsing;

public sealed class TaskTextTests
{
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("0::/system.slice/ssh.service\n", "ssh.service")]
    [InlineData("0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service")]
    [InlineData("0::/init.scope\n", "init.scope")]
    [InlineData("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope")]
    [InlineData("0::/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service\n", "user@1000.service/foo.service")]
    [InlineData("0::/user.slice/user-1000.slice/user@1000.service\n", "user@1000.service")]
    [InlineData("0::/system.slice/docker-" + Id + ".scope\n", "docker:0123456789ab")]
    [InlineData("0::/system.slice/docker-" + Id + ".scope/init.scope\n", "docker:0123456789ab")]
    [InlineData("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-" + Id + ".scope\n", "containerd:0123456789ab")]
    [InlineData("0::/kubepods.slice/kubepods-pod1.slice/crio-" + Id + ".scope\n", "cri-o:0123456789ab")]
    [InlineData("0::/kubepods/burstable/pod1/" + Id + "\n", "kubernetes:0123456789ab")]
    [InlineData("0::/machine.slice/libpod-" + Id + ".scope/container\n", "podman:0123456789ab")]
    [InlineData("0::/machine.slice/libpod-conmon-" + Id + ".scope\n", "libpod-conmon-" + Id + ".scope")]
    [InlineData("0::/machine.slice/machine-qemu\\x2d1\\x2dweb.scope\n", "machine:qemu-1-web")]
    [InlineData("0::/machine.slice/systemd-nspawn@web.service/payload\n", "systemd-nspawn@web.service")]
    [InlineData("0::/lxc.payload.web/system.slice/cron.service\n", "lxc:web")]
    [InlineData("12:cpuset:/docker/" + Id + "\n0::/\n", "docker:0123456789ab")]
    [InlineData("4:cpu,cpuacct:/system.slice\n1:name=systemd:/system.slice/cron.service\n0::/\n", "cron.service")]
    [InlineData("0::/custom.slice\n", "custom.slice")]
    [InlineData("0::/system.slice/a:b.service\n", "a:b.service")]
    [InlineData("0::/\n", null)]
    [InlineData("0::/system.slice/cut-off.service", null)]
    [InlineData("", null)]
    public void The_cgroup_names_the_unit_or_the_container(string text, string? expected) =>
        Assert.Equal(expected, CgroupParser.Owner(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("7 (bash) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9\n", "bash", 'S', false)]
    [InlineData("7 (a) R (b c)) D 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 9 9\n", "a) R (b c)", 'D', false)]
    [InlineData("7 (kworker/0:1) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 4242 0\n", "kworker/0:1", 'I', true)]
    public void Stat_survives_any_command_name(string text, string comm, char state, bool kthread) =>
        Assert.Equal(new TaskStat(comm, state, kthread, 4242), TaskStatParser.Parse(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("")]
    [InlineData("7 (bash")]
    [InlineData("7 bash) S 1 7\n")]
    [InlineData("7 (bash) S 1 7 7 0 -1 4194560 1 2\n")]
    public void A_stat_line_that_was_cut_off_is_none(string text) =>
        Assert.Null(TaskStatParser.Parse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Uid_is_the_real_one()
    {
        Assert.Equal(1000u, TaskStatParser.Uid("Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t1\n"u8));
        Assert.Null(TaskStatParser.Uid("Name:\tx\n"u8));
    }

    [Fact]
    public void Stack_lines_are_symbols_and_modules() => Assert.Equal(
        [new StackFrame("hrtimer_nanosleep", null), new StackFrame("busy.isra.0", "lp_target"), new StackFrame("kthread", null)],
        KernelStackParser.Parse(
            "[<0>] hrtimer_nanosleep+0x9a/0x140\n[<0>] 0xffffffffc0000000\n[<0>] busy.isra.0+0x1/0x2 [lp_target]\n[<0>] kthread+0xe0/0x110\n[<0>] cut"u8));

    [Fact]
    public void A_stack_disturbs_no_terminal() => Assert.Equal(
        [new StackFrame("f?[2J", "m?[31m")],
        KernelStackParser.Parse("[<0>] f\u001b[2J+0x1/0x2 [m\u001b[31m]\n"u8));

    [Fact]
    public void Softirqs_are_summed_by_cpu_number() => Assert.Equal(
        [new SoftirqCount(0, 5, 15), new SoftirqCount(2, 7, 27)],
        SoftirqParser.Parse("                    CPU0       CPU2\n          HI:         10         20\n      NET_RX:          5          7\n"u8)!.Value);

    [Theory]
    [InlineData("")]
    [InlineData("  CPU0 CPU1\n NET_RX: 1\n")]
    [InlineData("  CPU0\n HI: 1\n")]
    [InlineData("  CPUx\n NET_RX: 1\n")]
    public void What_is_no_softirq_table_is_none(string text) => Assert.Null(SoftirqParser.Parse(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void No_text_breaks_a_parser() => Gen.Byte.Array[0, 200].Sample(bytes =>
    {
        _ = CgroupParser.Owner(bytes);
        _ = TaskStatParser.Parse(bytes);
        _ = TaskStatParser.Uid(bytes);
        _ = KernelStackParser.Parse(bytes);
        _ = SoftirqParser.Parse(bytes);
    });
}
