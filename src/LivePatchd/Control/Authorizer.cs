// Stands before every method: readers pass, root passes, all others are counted and judged by polkit; an unknown caller may do nothing.
using LivePatchd.Bus;

namespace LivePatchd.Control;

internal sealed class Authorizer
{
    private readonly UserRequests requests = new();

    /// <summary>The methods with their handlers guarded by the access table. Fails when one has no row there.</summary>
    public IReadOnlyList<BusMethod> Guard(string iface, IEnumerable<BusMethod> methods) =>
        [.. methods.Select(m => AccessTable.IsForEverybody(iface, m.Name) ? m : m with { Handler = call => Admit(call, m.Handler) })];

    private void Admit(BusCall call, Action<BusCall> handler)
    {
        if (!call.TryGetSenderUid(out var uid))
        {
            call.ReplyError(BusErrors.NotAuthorized, $"{call.Member}: the bus does not say who calls");
            return;
        }
        // Without polkit: neither its absence nor its death may lock root out of its own machine.
        if (uid == 0)
        {
            handler(call);
            return;
        }
        if (!requests.TryEnter(uid))
        {
            call.ReplyError(BusErrors.LimitsExceeded, $"{UserRequests.MaxOfOne} requests of one user, or {UserRequests.MaxOfAll} of all, wait for their answers");
            return;
        }
        call.WhenEnded(() => requests.Leave(uid));
        new AccessQuestion(call, uid, AccessTable.ActionsOf(call), handler).Ask();
    }
}
