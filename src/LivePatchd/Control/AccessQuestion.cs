// One caller's way from its wish to the handler: polkit is asked for each action, and the caller must still be there. Bus thread only.
using LivePatchd.Bus;

namespace LivePatchd.Control;

internal sealed class AccessQuestion(BusCall call, uint uid, IReadOnlyList<string> actions, Action<BusCall> handler)
{
    /// <summary>For everything polkit decides by itself, all actions of a call together.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(800);

    // Callers wait 25 s by D-Bus custom: this ends before that, so that they hear a reason.
    private static readonly TimeSpan PasswordPatience = TimeSpan.FromSeconds(23);

    public void Ask() => Ask(0);

    private void Ask(int index)
    {
        if (index == actions.Count)
        {
            FindSender();
            return;
        }
        // Without a password first, so that a polkit that hangs is told from a person who thinks.
        Polkit.Ask(call.Server, call.Sender, actions[index], interact: false, Patience / actions.Count, answer =>
        {
            if (answer is PolkitAnswer.NeedsPassword && call.AllowsInteraction)
                Polkit.Ask(call.Server, call.Sender, actions[index], interact: true, PasswordPatience / actions.Count, given => Take(index, given));
            else
                Take(index, answer);
        });
    }

    private void Take(int index, PolkitAnswer answer)
    {
        if (answer is PolkitAnswer.Yes)
            Ask(index + 1);
        else
            Refuse($"{call.Member} takes {actions[index]}: {Why(answer)}");
    }

    /// <summary>
    /// A unique name is never given to a second connection while the bus lives, and a call dies with our connection to its bus: while
    /// the name has an owner, that owner is the connection that called and that polkit judged.
    /// </summary>
    private void FindSender() => call.FindSenderUid(Authorizer.BusPatience, found =>
    {
        if (found && call.SenderUid == uid)
            call.Resume(handler);
        else
            Refuse($"{call.Member}: the caller has gone");
    });

    private void Refuse(string why) => call.ReplyError(BusErrors.NotAuthorized, why);

    private static string Why(PolkitAnswer answer) => answer switch
    {
        PolkitAnswer.No => "polkit says no",
        PolkitAnswer.NeedsPassword => "polkit wants a password, and nobody can be asked for it",
        PolkitAnswer.Silent => "polkit did not answer in time",
        PolkitAnswer.Absent => "polkit cannot be reached",
        _ => "polkit's answer makes no sense",
    };
}
