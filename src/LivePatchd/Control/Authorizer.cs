// Stands before every method: readers pass, root passes, all others are counted and judged by polkit; an unknown caller may do nothing.
using LivePatchd.Bus;

namespace LivePatchd.Control;

internal sealed class Authorizer
{
    /// <summary>Of the arguments of a call that waits: more than any method of ours has a use for.</summary>
    public const int MaxArguments = 4096;

    /// <summary>
    /// For the bus to say who calls. It answers at once, but on a host with no processor to spare that can take seconds, and root is not
    /// locked out for it; how many may wait is bounded. Below the 25 s of D-Bus custom.
    /// </summary>
    public static readonly TimeSpan BusPatience = TimeSpan.FromSeconds(10);

    private readonly UnknownCallers unknown = new();
    private readonly UserRequests requests = new();

    /// <summary>The methods with their handlers guarded by the access table. Fails when one has no row there.</summary>
    public IReadOnlyList<BusMethod> Guard(string iface, IEnumerable<BusMethod> methods) =>
        [.. methods.Select(m => AccessTable.IsForEverybody(iface, m.Name) ? m : m with { Handler = call => Admit(call, m.Handler) })];

    private void Admit(BusCall call, Action<BusCall> handler)
    {
        // Whatever waits for an answer of the bus or of polkit is kept in memory: it must be small, and there must not be too many.
        if (!call.Reader.FitsInto(MaxArguments))
        {
            call.ReplyError(BusErrorNames.InvalidArgs, $"the arguments of {call.Member} are larger than {MaxArguments} bytes");
            return;
        }
        if (!unknown.TryEnter(call.Sender))
        {
            call.ReplyError(BusErrors.LimitsExceeded, $"{UnknownCallers.MaxOfOne} requests of one connection come too fast");
            return;
        }
        call.FindSenderUid(BusPatience, found =>
        {
            unknown.Leave(call.Sender);
            if (found)
                call.Resume(c => Judge(c, c.SenderUid!.Value, handler));
            else
                call.ReplyError(BusErrors.NotAuthorized, $"{call.Member}: the bus does not say who calls");
        });
    }

    private void Judge(BusCall call, uint uid, Action<BusCall> handler)
    {
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
