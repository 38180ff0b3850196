// `history [NAME]`: the applies and reverts of the past and what each did to the machine, the latest last.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class HistoryCommand
{
    /// <param name="argument">Null for every patch.</param>
    public static int Run(Session session, string? argument, bool asJson)
    {
        var name = argument is null ? "" : NameArgument.Canonical(argument);
        var what = argument is null ? "history" : $"history {argument}";
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(what, daemon.Error);
        using var connection = daemon.Value;
        var text = connection.History(name);
        if (!text.IsOk)
            return session.Fail(what, text.Error);
        if (HistoryFacts.Parse(text.Value) is not { } history)
            return session.Fail(ExitCode.Failed, what, "the daemon's history is not of schema 1", "install livepatchctl and livepatchd of one version");
        // A patch may have no history yet, and a history may outlive its patch; a name that has neither is a mistake.
        if (history.Entries.IsEmpty && argument is not null && connection.Patch(name) is { IsOk: false } missing)
            return session.Fail(what, missing.Error);
        if (asJson)
            session.Terminal.Out.WriteLine(history.Text);
        else
            Print(session, history);
        return ExitCode.Ok;
    }

    private static void Print(Session session, HistoryFacts history)
    {
        var terminal = session.Terminal;
        if (history.Entries.IsEmpty)
        {
            terminal.Out.WriteLine("no operations yet");
            return;
        }
        var table = new Table(
            new Column("WHEN"),
            new Column("PATCH", MinWidth: 16),
            new Column("OPERATION"),
            new Column("LOAD", DropOrder: 2),
            new Column("TRANSITION", DropOrder: 1),
            new Column("IO STALL"),
            new Column("LONGEST", DropOrder: 3),
            new Column("WHY", MinWidth: 12));
        foreach (var entry in history.Entries)
        {
            table.Add(
                new Cell(TimeText.Relative(entry.Time, session.Now)),
                new Cell(entry.Patch.Value),
                new Cell($"{ImpactJson.Word(entry.Operation)} {ImpactJson.Word(entry.Result)}", entry.Result is OperationResult.Done ? Paint.None : Paint.Bad),
                Span(entry.Load),
                Span(entry.Transition),
                Span(entry.Impact.During?.IoStall),
                Span(entry.Impact.LongestStall),
                new Cell(Why(entry)));
        }
        foreach (var line in table.Lines(terminal.Columns, terminal.HasColour))
            terminal.Out.WriteLine(line);
    }

    /// <summary>The reason, and what the finding behind it is worth.</summary>
    private static string Why(HistoryEntry entry) =>
        entry.Why is not { } why ? "-" : entry.Grade is { } grade ? $"{grade.Word()}: {why.Word()}" : why.Word();

    private static Cell Span(TimeSpan? span) => new(span is { } s ? ImpactText.Span(s) : "-");
}
