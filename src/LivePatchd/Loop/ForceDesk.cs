// The one request to force a transition that may be open: shown to the planner, and answered with what came of it.
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Log;

namespace LivePatchd.Loop;

/// <summary>On the loop's thread only. A request counts at once or not at all: what it was asked of may soon be over.</summary>
internal sealed class ForceDesk(DaemonLog log)
{
    /// <summary>A call or a scan that is under way is waited for so long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private (Command.Force Command, Instant Since)? open;
    private SysResult? result;
    private bool taken;

    /// <summary>For the planner.</summary>
    public ForceRequest? Asked => open is { } o && !taken ? new ForceRequest(o.Command.Name, o.Command.Token) : null;

    public void Take(Command.Force command, Instant now)
    {
        if (open is null)
            open = (command, now);
        else
            command.Call?.ReplyError(BusErrors.Busy, "another request to force is being carried out");
    }

    /// <summary>After the plan's first step was begun, or was not.</summary>
    /// <param name="wasBusy">The worker was, so that nothing could be begun.</param>
    public void Look(Plan plan, PlannerInput input, bool begun, bool wasBusy)
    {
        if (open is not { } request || taken)
            return;
        var name = request.Command.Name;
        if (begun && plan.Steps[0] is PlanStep.Force step && step.Name == name)
        {
            taken = true;
            log.Problem(EventKind.Forced, $"{name}: its transition is forced at the word of user {request.Command.Call?.SenderUid}", Reason.ForcedUntilReboot, name);
            return;
        }
        if (wasBusy && input.Now.Since(request.Since) < Patience)
            return;
        var (error, why) = WhyNot(request.Command, input, wasBusy);
        request.Command.Call?.ReplyError(error, why);
        open = null;
    }

    public void Conclude(PlanStep step, SysResult outcome)
    {
        if (taken && step is PlanStep.Force)
            result = outcome;
    }

    /// <summary>After the snapshot is on its way to the bus: a caller must find there what it has done.</summary>
    public void Answer()
    {
        if (result is not { } outcome || open is not { } request)
            return;
        if (outcome.IsOk)
            request.Command.Call?.Reply();
        else
            request.Command.Call?.ReplyError(BusErrors.Failed, $"{request.Command.Name}: {outcome}");
        (open, result, taken) = (null, null, false);
    }

    private static (string Error, string Why) WhyNot(Command.Force asked, PlannerInput input, bool wasBusy)
    {
        var name = asked.Name;
        if (input.Seen.Find(name) is not { } loaded)
            return input.Want.Wanted.Any(w => w.Name == name) ? NotMoving(name) : (BusErrors.NoSuchPatch, $"no patch {name}");
        if (!loaded.Transition)
            return NotMoving(name);
        if (!input.Ledger.Owned.ContainsKey(name))
            return (BusErrors.NameConflict, $"{Reason.LoadedByHand.Word()}: {name} was not loaded by livepatchd, which does not touch it");
        if (input.Bar is { } bar)
            return (BusErrors.Held, $"{bar.Word()}: {name} is not forced");
        if (input.Ledger.Forced.Contains(name))
            return (BusErrors.Held, $"{Reason.ForcedUntilReboot.Word()}: {name} was forced already");
        if (input.BlockersToken is not { } token)
            return (BusErrors.Held, $"who blocks {name} is not known yet");
        if (asked.Token != token)
            return (BusErrors.InvalidArgument, $"the token is not the one of the running transition of {name}");
        return wasBusy
            ? (BusErrors.Busy, "another operation is under way")
            : (BusErrors.Failed, $"{Reason.JournalUnavailable.Word()}: without a record of it {name} is not forced");
    }

    private static (string Error, string Why) NotMoving(PatchName name) => (BusErrors.InvalidArgument, $"{name} is not in transition");
}
