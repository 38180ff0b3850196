// `status`: the daemon, the running transition, and what is waiting for what.
using System.Globalization;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Json;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class StatusCommand
{
    private const int LabelWidth = 12;
    private const int MaxListed = 10;

    public static int Run(Session session, bool asJson)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("status", daemon.Error);
        using var connection = daemon.Value;
        var host = connection.Host();
        if (!host.IsOk)
            return session.Fail("status", host.Error);
        var patches = connection.PatchesWithEvidence();
        if (!patches.IsOk)
            return session.Fail("status", patches.Error);
        if (asJson)
            JsonOut.Document(session.Terminal, json => StatusJson.Members(json, host.Value, patches.Value, session.Now));
        else
            Print(session, host.Value, patches.Value);
        return ExitCode.Ok;
    }

    private static void Print(Session session, HostFacts host, List<PatchFacts> patches)
    {
        var now = session.Now;
        var facts = new Facts(session.Terminal, LabelWidth);
        session.Terminal.Out.WriteLine(TextOf.Clean($"livepatchd {host.Version}, kernel {host.KernelRelease}"));
        facts.Add("State", $"{PatchText.StateAndReason(host.State, host.Reason)}, mode {host.Mode}", Paints.OfHost(host.State));
        if (host.Reason is { } word && ReasonTable.Parse(word) is { } reason)
        {
            facts.Add("Why", reason.Sentence);
            facts.Add("Next", reason.NextStep);
        }
        foreach (var condition in host.Conditions)
        {
            facts.Add("Attention", condition.ToString(), Paint.Bad);
            if (condition.Reason != host.Reason)
                facts.Add("", ReasonTable.Parse(condition.Reason)?.NextStep);
        }
        facts.Add("Transition", host.Transition is null ? "none" : Describe(host.Transition, now));
        facts.Add("Patches", Counts(patches));
        facts.AddList("Soaking", [.. patches.Where(static p => p.KnownState is PatchState.Soaking).Select(p => $"{p.Name}{(p.SoakUntil is { } end ? $", until {TimeText.LocalAndRelative(end, session.Clock)}" : "")}")], MaxListed, "; livepatchctl list shows all");
        facts.AddList("Quarantine", [.. patches.Where(static p => p.KnownState is PatchState.Quarantined).Select(static p => $"{p.Name} ({p.Reason}){(p.Detail is null ? "" : $": {p.Detail}")}")], MaxListed, "; livepatchctl list shows all");
        facts.AddList("Waiting", [.. host.Holds.Select(h => Describe(h, now))], MaxListed, "; livepatchctl plan shows all");
        facts.AddList("Not taken", [.. host.StrayFiles(patches).Select(static f => $"{f.Path} ({f.Reason})")], MaxListed, "; --json shows all");
        facts.Add("Next attempt", host.NextAttempt is { } at ? TimeText.LocalAndRelative(at, session.Clock) : null);
        facts.Add("Config", $"generation {host.ConfigGeneration}{(host.ConfigErrors.Count > 0 ? ", a newer one was refused" : "")}");
        facts.AddList("Refused", host.ConfigErrors, MaxListed, "; --json shows all");
        facts.AddList("Not in force", host.NotInForce, MaxListed, "; --json shows all");
        facts.Add("Tainted", host.Tainted == 0 ? "no" : $"{host.Tainted.ToString(CultureInfo.InvariantCulture)} ({Taint.Letters(host.Tainted)})");
    }

    /// <summary>`lp_x, 12s, 1198 of 1200 tasks switched`.</summary>
    public static string Describe(Transition transition, DateTimeOffset now)
    {
        var age = transition.Since is { } since ? $", {TimeText.Span(now - since)}" : "";
        var progress = transition.Total > 0 ? $", {BlockingText.Progress(transition.Switched, transition.Total)}" : "";
        return $"{transition.Patch}{age}{progress}";
    }

    public static string Describe(Hold hold, DateTimeOffset now) =>
        hold.RetryAt is { } at ? $"{hold.Patch} ({hold.Reason}), retry {TimeText.Relative(at, now)}" : $"{hold.Patch} ({hold.Reason})";

    private static string Counts(List<PatchFacts> patches) => patches.Count == 0
        ? "none"
        : string.Join(", ", patches.CountBy(static p => p.State).OrderByDescending(static c => c.Value).ThenBy(static c => c.Key, StringComparer.Ordinal)
            .Select(static c => $"{c.Value} {c.Key}"));
}
