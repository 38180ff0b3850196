// What finit_module answers when it is asked in spite of a reason: the errno that each stands for.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy;

public static class KernelAnswers
{
    /// <summary>Null where the kernel has no objection of its own, or the answer depends on more than the reason.</summary>
    /// <remarks>kernel/module/main.c, kernel/module/signing.c and kernel/livepatch/core.c of 6.12.</remarks>
    public static Errno? To(Reason reason) => reason switch
    {
        Reason.NotAnElfFile or Reason.TruncatedFile or Reason.WrongMachine or Reason.WrongKernel or Reason.ModuleFormatRefused => Errno.ENOEXEC,
        Reason.LivepatchAbsent => Errno.ENOEXEC,
        Reason.SymbolNotFound or Reason.SymbolAmbiguous or Reason.FunctionNotTraceable or Reason.IncompatibleState => Errno.EINVAL,
        Reason.UnknownSymbol or Reason.DependencyNotLoaded => Errno.ENOENT,
        Reason.SignatureRequired => Errno.EKEYREJECTED,
        Reason.SignatureInvalid => Errno.EBADMSG,
        Reason.LockedDown or Reason.ModulesDisabled or Reason.NotPermitted or Reason.NoPrivilege => Errno.EPERM,
        Reason.FtraceDisabled or Reason.FtraceConflict or Reason.TransitionInProgress => Errno.EBUSY,
        Reason.NameInUse => Errno.EEXIST,
        Reason.OutOfMemory => Errno.ENOMEM,
        _ => null,
    };
}
