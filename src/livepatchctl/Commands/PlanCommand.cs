// `plan`: what the daemon would do next, as sentences or as its own document.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class PlanCommand
{
    public static int Run(Session session, bool asJson)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("plan", daemon.Error);
        using var connection = daemon.Value;
        var text = connection.Plan();
        if (!text.IsOk)
            return session.Fail("plan", text.Error);
        if (PlanFacts.Parse(text.Value) is not { } plan)
            return session.Fail(ExitCode.Failed, "plan", "the daemon's plan is not of schema 1", "install livepatchctl and livepatchd of one version");
        if (asJson)
            session.Terminal.Out.WriteLine(text.Value);
        else
            Print(session, plan);
        return ExitCode.Ok;
    }

    private static void Print(Session session, PlanFacts plan)
    {
        var terminal = session.Terminal;
        if (plan.Steps.Count == 0)
            terminal.Out.WriteLine("nothing to do");
        for (var i = 0; i < plan.Steps.Count; i++)
            Paragraph(terminal, $"{i + 1}. ", Sentence(plan.Steps[i]));
        foreach (var hold in plan.Holds)
            Paragraph(terminal, "held: ", Sentence(hold, session.Now));
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

    private static string Sentence(Hold hold, DateTimeOffset now)
    {
        var retry = hold.RetryAt is { } at ? $" Next try {TimeText.Relative(at, now)}." : "";
        return $"{hold.Patch} ({hold.Reason}). {ReasonTable.Parse(hold.Reason)?.Sentence}{retry}";
    }
}
