// The outcome of looking into a patch file: what it is, or why it is refused.
using System.Diagnostics.CodeAnalysis;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Elf;

/// <param name="Module">Set when the file is a kernel module (a livepatch or not).</param>
/// <param name="Reason">Set when it is not.</param>
/// <param name="Detail">One line that says which part is at fault; empty on success.</param>
public sealed record InspectResult(ModuleInfo? Module, Reason? Reason, string Detail)
{
    [MemberNotNullWhen(true, nameof(Module))]
    [MemberNotNullWhen(false, nameof(Reason))]
    public bool IsModule => Module is not null;
}
