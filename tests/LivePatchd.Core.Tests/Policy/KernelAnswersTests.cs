// The errno that the kernel itself would answer to a load which a reason stands against.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;

namespace LivePatchd.Core.Tests.Policy;

public sealed class KernelAnswersTests
{
    [Theory]
    [InlineData(Errno.ENOEXEC, Reason.NotAnElfFile, Reason.TruncatedFile, Reason.WrongMachine, Reason.WrongKernel, Reason.ModuleFormatRefused, Reason.LivepatchAbsent)]
    [InlineData(Errno.EINVAL, Reason.SymbolNotFound, Reason.SymbolAmbiguous, Reason.FunctionNotTraceable, Reason.IncompatibleState)]
    [InlineData(Errno.ENOENT, Reason.UnknownSymbol, Reason.DependencyNotLoaded)]
    [InlineData(Errno.EKEYREJECTED, Reason.SignatureRequired)]
    [InlineData(Errno.EBADMSG, Reason.SignatureInvalid)]
    [InlineData(Errno.EPERM, Reason.LockedDown, Reason.ModulesDisabled, Reason.NotPermitted, Reason.NoPrivilege)]
    [InlineData(Errno.EBUSY, Reason.FtraceDisabled, Reason.FtraceConflict, Reason.TransitionInProgress)]
    [InlineData(Errno.EEXIST, Reason.NameInUse)]
    [InlineData(Errno.ENOMEM, Reason.OutOfMemory)]
    public void The_kernel_has_an_answer_of_its_own(Errno errno, params Reason[] reasons) =>
        Assert.All(reasons, r => Assert.Equal(errno, KernelAnswers.To(r)));

    [Fact]
    public void What_only_the_daemon_objects_to_the_kernel_does_not()
    {
        Assert.All(
            [Reason.IoPressure, Reason.GatesSettling, Reason.Rollback, Reason.SignatureMissing, Reason.MemoryLow, Reason.KernelRefused, Reason.UnreadableFile],
            r => Assert.Null(KernelAnswers.To(r)));
        Assert.Equal(23, Enum.GetValues<Reason>().Count(r => KernelAnswers.To(r) is not null));
    }
}
