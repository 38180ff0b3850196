// A plan for people: the steps in order, who waits, who is refused, and what is worth knowing before it happens.
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Output;

internal static class PlanText
{
    /// <param name="ofFile">Asked about one file: then what becomes of it is said in any case.</param>
    public static void Print(Terminal terminal, PlanFacts plan, DateTimeOffset now, bool ofFile)
    {
        if (plan.Steps.Count == 0 && !ofFile)
            terminal.Out.WriteLine("nothing to do");
        foreach (var condition in plan.Conditions)
            Paragraph(terminal, "attention: ", $"{condition}. {ReasonTable.Parse(condition.Reason)?.Sentence}");
        for (var i = 0; i < plan.Steps.Count; i++)
            Paragraph(terminal, $"{i + 1}. ", Sentence(plan.Steps[i]));
        foreach (var hold in plan.Holds)
            Paragraph(terminal, "held: ", Sentence(hold, plan.Patches.FirstOrDefault(p => p.Patch == hold.Patch && p.Reason == hold.Reason), now));
        foreach (var patch in plan.Patches)
        {
            if (patch.Outcome == PredictedOutcome.Refused.Word())
                Paragraph(terminal, "refused: ", Refusal(patch));
            else if (ofFile && plan.Steps.Count == 0 && plan.Holds.All(h => h.Patch != patch.Patch))
                Paragraph(terminal, $"{patch.Outcome}: ", Standing(patch));
            foreach (var note in patch.Notes)
                Paragraph(terminal, "note: ", $"{patch.Patch}: {TextOf.WithoutStop(note.Text)}.");
        }
    }

    private static void Paragraph(Terminal terminal, string lead, string text)
    {
        foreach (var line in TextOf.Wrap(TextOf.Clean(text), terminal.Columns - lead.Length))
        {
            terminal.Out.WriteLine(lead + line);
            lead = new string(' ', lead.Length);
        }
    }

    private static string Sentence(PlannedStep step)
    {
        var what = step.Action switch
        {
            "load" => $"Load {step.Patch} (sha256 {PatchText.ShortDigest(step.Sha256)})",
            "adopt" => $"Take charge of {step.Patch}, which is loaded already",
            "await" => $"Wait until {step.Patch} has finished its transition",
            "reverse" => $"Reverse the running transition of {step.Patch}",
            "reenable" => $"Take the disable of {step.Patch} back, so that it is active again",
            "force" => $"Force the transition of {step.Patch}, as an operator asked",
            "disable" => $"Disable {step.Patch}",
            "unload" => $"Remove the module {step.Patch}",
            _ => $"{step.Action} {step.Patch}",
        };
        var why = step.Reason is null ? null : ReasonTable.Parse(step.Reason);
        return why is null ? $"{what}." : $"{what}: {why.Word}. {why.Sentence}";
    }

    private static string Sentence(Client.Hold hold, PlannedPatch? patch, DateTimeOffset now)
    {
        var reason = ReasonTable.Parse(hold.Reason);
        var retry = hold.RetryAt is { } at ? $" Next try {TimeText.Relative(at, now)}." : "";
        return patch is null
            ? $"{hold.Patch} ({hold.Reason}). {reason?.Sentence}{retry}"
            : $"{hold.Patch} ({hold.Reason}). {reason?.Sentence}{Facts(patch)}{retry}{Next(reason, hold.Patch)}";
    }

    private static string Refusal(PlannedPatch patch)
    {
        var reason = patch.Reason is null ? null : ReasonTable.Parse(patch.Reason);
        var name = patch.Patch ?? patch.File ?? "the file";
        return $"{name} ({patch.Reason}). {reason?.Sentence}{Facts(patch)}{Next(reason, name)}";
    }

    private static string Standing(PlannedPatch patch)
    {
        var reason = patch.Reason is null ? null : ReasonTable.Parse(patch.Reason);
        var detail = patch.Detail is null ? "" : $" {TextOf.WithoutStop(patch.Detail)}.";
        return reason is null ? $"{patch.Patch}.{detail}" : $"{patch.Patch} ({reason.Word}). {reason.Sentence}{detail}";
    }

    private static string Facts(PlannedPatch patch)
    {
        var detail = patch.Detail is null ? "" : $" Seen: {TextOf.WithoutStop(patch.Detail)}.";
        return patch.Errno is null ? detail : $"{detail} The kernel would answer {patch.Errno}.";
    }

    private static string Next(ReasonInfo? reason, string name) => reason is null ? "" : $" Next: {PatchText.NextStep(reason, name)}";
}
