// Triggers: what is written, what refusals look like, and, where the machine has pressure files, that the kernel takes them and rings.
using System.Runtime.InteropServices;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Pressure;

namespace LivePatchd.Linux.Tests.Pressure;

public sealed class PsiTriggerTests
{
    private static readonly PressureTrigger Some = new(Gate.CpuPressure, Full: false, TimeSpan.FromMilliseconds(400));

    [Fact]
    public void The_line_ends_in_a_byte_that_the_kernel_may_take()
    {
        using var host = new FakeRoot();
        var path = host.Write("/proc/pressure/cpu", "");
        using var trigger = PsiTrigger.Arm(path, Some).Value;
        Assert.Equal("some 400000 2000000\0"u8.ToArray(), File.ReadAllBytes(path));
    }

    [Fact]
    public void Refusals_carry_the_errno()
    {
        using var host = new FakeRoot();
        Assert.Equal((Errno.ENOENT, "open"), Answer(PsiTrigger.Arm(host.Path("/proc/pressure/cpu"), Some)));
        Assert.Equal((Errno.EISDIR, "open"), Answer(PsiTrigger.Arm(host.Directory, Some)));
        Assert.Equal((Errno.ENOSPC, "write"), Answer(PsiTrigger.Arm("/dev/full", Some)));
        Assert.Equal((Errno.EXDEV, "write"), Answer(PsiTrigger.Arm(host.Root, Some)));
        using var set = PsiTriggerSet.Arm(host.Root, PressureTrigger.For(GateSettings.Default));
        Assert.Equal((0, 4, false), (set.Armed.Length, set.Refused.Length, set.Complete));
    }

    [Fact]
    public void The_kernel_takes_every_trigger_of_the_defaults_and_refuses_nonsense()
    {
        Assert.SkipUnless(CanArm(), "this machine takes no triggers");
        using var set = PsiTriggerSet.Arm(SystemRoot.Host, PressureTrigger.For(GateSettings.Default));
        Assert.True(set.Complete, string.Join(", ", set.Refused));
        Assert.Equal(4, set.Armed.Length);
        Assert.Equal((Errno.EINVAL, "write"), Answer(PsiTrigger.Arm(SystemRoot.Host, Some with { Threshold = TimeSpan.FromSeconds(3) })));
    }

    [Fact]
    public void The_kernel_rings_when_tasks_wait_for_a_cpu()
    {
        Assert.SkipUnless(CanArm(), "this machine takes no triggers");
        // The least stall there is, and more runnable threads than CPUs: they must wait for one another.
        using var set = PsiTriggerSet.Arm(SystemRoot.Host, [Some with { Threshold = TimeSpan.FromMicroseconds(1) }]);
        using var stop = new CancellationTokenSource();
        var threads = Enumerable.Range(0, Environment.ProcessorCount + 2).Select(_ => new Thread(() => Spin(stop.Token))).ToList();
        threads.ForEach(t => t.Start());
        var outcomes = new PollOutcome[1];
        SafeHandle[] fds = [set.Armed[0].Fd];
        var waited = Poller.Wait(fds, [true], outcomes, TimeSpan.FromSeconds(20), TimeProvider.System);
        stop.Cancel();
        threads.ForEach(t => t.Join());
        Assert.Equal(1, waited.Value);
        Assert.Equal([set.Armed[0].Trigger], set.Collect(outcomes));
        Assert.True(set.Complete);
    }

    [Fact]
    public void A_broken_descriptor_is_let_go_of()
    {
        Assert.SkipUnless(CanArm(), "this machine takes no triggers");
        using var set = PsiTriggerSet.Arm(SystemRoot.Host, [Some, Some with { Gate = Gate.IoPressure }]);
        Assert.Empty(set.Collect([PollOutcome.Broken, PollOutcome.Quiet]));
        Assert.Equal([Gate.IoPressure], set.Armed.Select(t => t.Trigger.Gate));
        Assert.Equal((Some, Errno.EIO), (Assert.Single(set.Refused).Trigger, set.Refused[0].Result.Errno));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Collect([PollOutcome.Quiet, PollOutcome.Quiet]));
    }

    private static void Spin(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
            Thread.SpinWait(1000);
    }

    private static bool CanArm()
    {
        using var trigger = PsiTrigger.Arm(SystemRoot.Host, Some).Value;
        return trigger is not null;
    }

    private static (Errno Errno, string? Call) Answer(SysResult<PsiTrigger> result)
    {
        result.Value?.Dispose();
        return (result.Errno, result.Call);
    }
}
