// A module without a signature that the kernel can verify, where the kernel takes no such module.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Preflight;

internal static class SignatureJudgement
{
    /// <summary>Where neither is in force the kernel only taints itself. Enforcement is asked about first, so its answer is the one that comes.</summary>
    public static Against? Of(PatchModule module, PreflightFacts facts, KernelFacts kernel)
    {
        if (!kernel.SignatureEnforced && kernel.Lockdown is LockdownLevel.None)
            return null;
        var lack = !module.Info.Signed ? "the module is unsigned"
            : facts.Strangers.Contains(module.Digest) ? $"the module is signed by a key that the kernel does not have{Who(module.Info)},"
            : null;
        return lack is null ? null
            : kernel.SignatureEnforced ? new(Reason.SignatureRequired, $"{lack} and module.sig_enforce=1")
            : new(Reason.LockedDown, $"{lack} and the kernel is locked down");
    }

    private static string Who(ModuleInfo info) => info.Signers switch
    {
        [{ KeyId: { } key }, ..] => $" (key {key})",
        [{ Issuer: { } issuer, Serial: { } serial }, ..] => $" ({issuer}, serial {serial})",
        _ => "",
    };
}
