// Why a file or directory was not accepted, before it is known which patch that concerns.
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Store;

internal sealed record Refusal(Reason Reason, string Detail)
{
    internal static Refusal Of(Reason reason, SysResult failed) => new(reason, $"{failed.Call}: {failed.Errno}");
}
