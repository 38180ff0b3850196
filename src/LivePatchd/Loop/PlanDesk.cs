// Answers what would become of a file that nobody has staged: the planner is asked as if it lay in the directory and somebody had applied it.
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Core.Recovery;
using LivePatchd.Publish;

namespace LivePatchd.Loop;

internal static class PlanDesk
{
    /// <param name="last">What the last plan was made from; null before the first.</param>
    /// <param name="directory">Where a staged file of this kernel would come to lie.</param>
    public static void Answer(WorkResult.Probed probed, PlannerInput? last, string directory)
    {
        if (probed.Command.Call is not { } call)
            return;
        if (!probed.Result.Error.IsOk)
            call.ReplyError(BusErrors.Failed, probed.Result.Error.ToString());
        else if (last is null)
            call.ReplyError(BusErrors.Busy, "the daemon has not looked at the kernel yet");
        else
            call.Reply(w => w.WriteString(Document(probed, last, $"{directory}/{probed.Command.FileName}")));
    }

    private static string Document(WorkResult.Probed probed, PlannerInput last, string path)
    {
        if (probed.Result.Refused is { } refused)
        {
            return PlanJson.Write(
                new Plan([], [], [], null),
                [new PatchPrediction(refused.Name, path, null, PredictedOutcome.Refused, refused.Reason, refused.Detail, KernelAnswers.To(refused.Reason), [])]);
        }
        var patch = probed.Result.Patch!;
        var module = patch.Module;
        var input = With(patch, last, probed.Facts);
        var plan = Planner.Decide(input);
        return PlanJson.Write(
            plan with { Steps = [.. plan.Steps.Where(s => s.Name == module.Name)], Holds = [.. plan.Holds.Where(h => h.Name == module.Name)] },
            [.. PatchPrediction.All(input, plan).Where(p => p.Name == module.Name)]);
    }

    // What `apply FILE` does: it puts the file there, over one of the same file name, and lifts what stood against the patch's name.
    private static PlannerInput With(WantedPatch patch, PlannerInput last, PreflightFacts facts)
    {
        var applied = new JournalRecord(RecordKind.OperatorApplied, patch.Name, last.Seen.Kernel.BootId, last.Now);
        return last with
        {
            Want = last.Want with
            {
                Wanted = [.. last.Want.Wanted.Where(w => w.Path != patch.Path), patch],
                Refused = [.. last.Want.Refused.Where(r => r.Path != patch.Path)],
            },
            Ledger = LedgerFold.Apply(last.Ledger, applied),
            Preflight = facts with { Symbols = last.Preflight.Symbols.SetItems(facts.Symbols) },
        };
    }
}
