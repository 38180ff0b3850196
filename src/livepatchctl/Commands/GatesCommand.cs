// `gates`: every gate with its figure and marks, who waits and until when, who holds.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Json;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class GatesCommand
{
    private const int LabelWidth = 12;
    private const int MaxListed = 10;

    public static int Run(Session session, bool asJson)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("gates", daemon.Error);
        using var connection = daemon.Value;
        var look = connection.Snapshot();
        if (!look.IsOk)
            return session.Fail("gates", look.Error);
        var host = HostFacts.From(look.Value.Host);
        var board = GateBoardFacts.From(look.Value.Host);
        var gates = look.Value.Gates.Values.Select(GateFacts.From).OrderBy(static g => g.Rank).ToList();
        var waiting = host.Holds.Where(static h => AtGates(h.Reason)).ToList();
        if (asJson)
            JsonOut.Document(session.Terminal, json => GatesJson.Members(json, board, gates, waiting));
        else
            Print(session, board, gates, waiting);
        return ExitCode.Ok;
    }

    private static bool AtGates(string word) => ReasonTable.Parse(word)?.Reason is { } reason && GateReasons.Contains(reason);

    private static void Print(Session session, GateBoardFacts board, List<GateFacts> gates, List<Hold> waiting)
    {
        var (terminal, now) = (session.Terminal, session.Now);
        foreach (var line in GateText.Tabulate(gates, now).Lines(terminal.Columns, terminal.HasColour))
            terminal.Out.WriteLine(line);
        terminal.Out.WriteLine();
        var facts = new Facts(terminal, LabelWidth);
        facts.Add("Changes", board.Open ? "may be made now" : $"not now ({board.Reason})", board.Open ? Paint.Good : Paint.Bad);
        facts.AddList("Closed", [.. gates.Where(static g => !g.Open).Select(static g => $"{g.Name}: {g.Detail}")], MaxListed, "");
        facts.Add("Next answer", board.Open || board.RetryAt is not { } at ? null : TimeText.LocalAndRelative(at, session.Clock));
        facts.AddList("Waiting", [.. waiting.Select(h => StatusCommand.Describe(h, now))], MaxListed, "; livepatchctl plan shows all");
        if (board.Hold is { } hold)
        {
            facts.Add("Hold", hold.Why);
            facts.Add("", $"since {TimeText.LocalAndRelative(hold.Since, session.Clock)}");
            facts.Add("", hold.Until is { } until ? $"until {TimeText.LocalAndRelative(until, session.Clock)}" : "until livepatchctl unhold");
        }
        facts.AddList("Inhibited", [.. board.Inhibitors.Select(i => Describe(i, now))], MaxListed, "; --json shows all");
    }

    private static string Describe(InhibitorFacts inhibitor, DateTimeOffset now) =>
        $"{inhibitor.Who} (uid {inhibitor.Uid}{(inhibitor.Since is { } since ? $", {TimeText.Span(now - since)}" : "")}): {inhibitor.Why}";
}
