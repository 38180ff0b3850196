// Every way a kernel says no, with the lines it logs, and the one reason each becomes.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Core.Tests.Policy;

public sealed class FailureClassifierTests
{
    private static readonly KernelFacts Plain = new("6.12.0", "boot", true, true, true, false, LockdownLevel.None, false, 0, 0, 0);

    private static readonly PatchName Name = PatchName.Parse("lp_one");

    [Theory]
    [InlineData(Errno.EINVAL, "livepatch: symbol 'lp_no_such_function_anywhere' not found in symbol table", Reason.SymbolNotFound)]
    [InlineData(Errno.EINVAL, "livepatch: symbol position 7 for symbol 's_show' in object 'vmlinux' not found", Reason.SymbolNotFound)]
    [InlineData(Errno.EINVAL, "livepatch: unresolvable ambiguity for symbol 's_show' in object 'vmlinux'", Reason.SymbolAmbiguous)]
    [InlineData(Errno.EINVAL, "livepatch: failed to find location for function 'exc_divide_error'", Reason.FunctionNotTraceable)]
    [InlineData(Errno.ENODEV, "livepatch: pre-patch callback failed for object 'vmlinux'", Reason.VetoedByCallback)]
    [InlineData(Errno.EINVAL, "livepatch: Livepatch patch (lp_state) is not compatible with the already installed livepatches.", Reason.IncompatibleState)]
    [InlineData(Errno.EINVAL, "livepatch: module lp_notlive is not marked as a livepatch module", Reason.NotALivepatch)]
    [InlineData(Errno.ENOEXEC, "lp_one: version magic '6.1.0-42-amd64 SMP preempt' should be '6.1.0-42-amd64 SMP preempt mod_unload modversions '", Reason.WrongKernel)]
    [InlineData(Errno.ENOEXEC, "lp_one: disagrees about version of symbol module_layout", Reason.ModuleFormatRefused)]
    [InlineData(Errno.ENOENT, "lp_one: Unknown symbol lp_target_busy (err -2)", Reason.UnknownSymbol)]
    [InlineData(Errno.EKEYREJECTED, "Loading of unsigned module is rejected", Reason.SignatureRequired)]
    [InlineData(Errno.EKEYREJECTED, "Loading of module with unavailable key is rejected", Reason.SignatureRequired)]
    [InlineData(Errno.EPERM, "Lockdown: livepatchd: unsigned module loading is restricted; see man kernel_lockdown.7", Reason.LockedDown)]
    [InlineData(Errno.EBUSY, "livepatch: failed to register ftrace handler for function 'cmdline_proc_show' (-16)", Reason.FtraceConflict)]
    public void The_kernels_own_line_decides(Errno errno, string line, Reason expected)
    {
        string[] log = ["lp_one: loading out-of-tree module taints kernel.", "livepatch: enabling patch 'lp_one'", line, "livepatch: failed to enable patch 'lp_one'"];
        var failure = FailureClassifier.Load(Name, errno, log, Plain, transitionRunning: false);
        Assert.Equal(expected, failure.Reason);
        Assert.Equal($"{errno}: {line}", failure.Detail);
    }

    [Theory]
    [InlineData(Errno.EPERM, Reason.NotPermitted)]
    [InlineData(Errno.EACCES, Reason.NotPermitted)]
    [InlineData(Errno.EKEYREJECTED, Reason.SignatureRequired)]
    [InlineData(Errno.ENOKEY, Reason.SignatureRequired)]
    [InlineData(Errno.EKEYEXPIRED, Reason.SignatureRequired)]
    [InlineData(Errno.EKEYREVOKED, Reason.SignatureRequired)]
    [InlineData(Errno.EBADMSG, Reason.SignatureInvalid)]
    [InlineData(Errno.ENOEXEC, Reason.ModuleFormatRefused)]
    [InlineData(Errno.EEXIST, Reason.NameInUse)]
    [InlineData(Errno.EBUSY, Reason.FtraceConflict)]
    [InlineData(Errno.ENOENT, Reason.UnknownSymbol)]
    [InlineData(Errno.ENOMEM, Reason.OutOfMemory)]
    [InlineData(Errno.ENOSYS, Reason.LivepatchAbsent)]
    [InlineData(Errno.EINVAL, Reason.KernelRefused)]
    [InlineData(Errno.ENODEV, Reason.KernelRefused)]
    [InlineData((Errno)4242, Reason.KernelRefused)]
    public void Without_a_word_of_the_kernel_errno_decides(Errno errno, Reason expected) =>
        Assert.Equal(expected, FailureClassifier.Load(Name, errno, [], Plain, transitionRunning: false).Reason);

    [Fact]
    public void Facts_tell_one_errno_from_another()
    {
        Reason Of(Errno errno, KernelFacts facts, bool transition = false) => FailureClassifier.Load(Name, errno, [], facts, transition).Reason;
        Assert.Equal(Reason.ModulesDisabled, Of(Errno.EPERM, Plain with { ModulesDisabled = true, Lockdown = LockdownLevel.Integrity }));
        Assert.Equal(Reason.LockedDown, Of(Errno.EPERM, Plain with { Lockdown = LockdownLevel.Integrity }));
        Assert.Equal(Reason.NoPrivilege, Of(Errno.EPERM, Plain with { CanLoadModules = false }));
        Assert.Equal(Reason.FtraceDisabled, Of(Errno.EBUSY, Plain with { FtraceEnabled = false }));
        Assert.Equal(Reason.TransitionInProgress, Of(Errno.EBUSY, Plain, transition: true));
        Assert.Equal(Reason.FtraceDisabled, Of(Errno.EBUSY, Plain with { FtraceEnabled = false }, transition: true));
    }

    [Fact]
    public void Ftrace_switched_off_outweighs_the_failure_to_register_that_it_causes() => Assert.Equal(
        Reason.FtraceDisabled,
        FailureClassifier.Load(Name, Errno.EBUSY, ["livepatch: failed to register ftrace handler for function 'x' (-16)"], Plain with { FtraceEnabled = false }, false).Reason);

    [Fact]
    public void Every_errno_and_every_line_gives_a_reason_of_the_table()
    {
        foreach (var errno in Enum.GetValues<Errno>())
        {
            foreach (var line in new[] { "", "livepatch: ", "a line of something else" })
                Assert.NotNull(FailureClassifier.Load(Name, errno, [line], Plain, false).Reason.Info());
        }
    }

    [Theory]
    [InlineData("other: Unknown symbol foo (err -2)")]
    [InlineData("other: version magic '5.10' should be '6.1'")]
    [InlineData("lp_one_more: disagrees about version of symbol module_layout")]
    public void A_line_about_another_module_decides_nothing(string line) =>
        Assert.Equal(Reason.OutOfMemory, FailureClassifier.Load(Name, Errno.ENOMEM, [line], Plain, transitionRunning: false).Reason);

    [Fact]
    public void What_was_read_before_the_call_tells_who_it_can_have_been()
    {
        var facts = PreflightFacts.None with
        {
            Trace = TraceFacts.None with { Functions = [new("cmdline_proc_show", null, false, true, "bpf_trampoline_77", null), new("uptime_proc_show", null, false, false, null, "function_trace_call")] },
        };
        var failure = FailureClassifier.Load(Name, Errno.EBUSY, [], Plain, transitionRunning: false, facts);
        Assert.Equal(Reason.FtraceConflict, failure.Reason);
        Assert.Equal("EBUSY; attached before: cmdline_proc_show (bpf_trampoline_77)", failure.Detail);
        Assert.Equal(Reason.TransitionInProgress, FailureClassifier.Load(Name, Errno.EBUSY, [], Plain, transitionRunning: true, facts).Reason);

        var symbols = PreflightFacts.None with
        {
            Symbols = PreflightFacts.None.Symbols.Add(default, new SymbolFacts([new(new("vmlinux", "s_show", 0, true), 0, ["s_show.llvm.1"])], null)),
        };
        Assert.Equal(Reason.SymbolNotFound, FailureClassifier.Load(Name, Errno.EINVAL, [], Plain, transitionRunning: false, symbols).Reason);
        Assert.Equal(Reason.KernelRefused, FailureClassifier.Load(Name, Errno.EINVAL, [], Plain, transitionRunning: false, facts).Reason);
    }
}
