// Who may change things: uid 0 only, until polkit is asked; unknown callers may not.
using LivePatchd.Bus;

namespace LivePatchd.Control;

internal static class Authorizer
{
    /// <summary>Runs the handler for root, and answers everybody else with NotAuthorized.</summary>
    public static Action<BusCall> RootOnly(Action<BusCall> handler) => call =>
    {
        if (call.TryGetSenderUid(out var uid) && uid == 0)
            handler(call);
        else
            call.ReplyError(BusErrors.NotAuthorized, $"{call.Member} is for root only");
    };
}
