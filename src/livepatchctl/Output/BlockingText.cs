// Who blocks a transition, as lines of text: by unit, or task by task.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Output;

internal static class BlockingText
{
    /// <summary>`1198 of 1200 tasks switched`.</summary>
    public static string Progress(ulong switched, ulong total) => $"{switched} of {total} tasks switched";

    public static IEnumerable<string> Lines(BlockingFacts running, bool verbose, Terminal terminal)
    {
        var progress = running is { Switched: { } switched, Total: { } total } ? Progress((ulong)switched, (ulong)total) : "its tasks have not been looked at yet";
        yield return TextOf.Cut(TextOf.Clean($"{running.Patch}: {(running.Enabling ? "enabling" : "disabling")} for {TimeText.Span(running.Age)}, {progress}"), terminal.Columns);
        if (running.Unreadable is > 0 and { } unreadable)
            yield return $"cannot be read and may block as well: {unreadable}";
        if (running.Blockers.Count == 0)
            yield break;
        yield return "";
        foreach (var line in (verbose ? Tasks(running) : Units(running)).Lines(terminal.Columns, terminal.HasColour))
            yield return line;
        var shown = verbose ? running.Blockers.Count : running.Units.Sum(static u => u.Tasks);
        if (running.Pending > shown)
            yield return $"... and {running.Pending - shown} more";
        foreach (var never in running.Blockers.Where(static b => b.NeverCompletes))
            yield return TextOf.Cut(TextOf.Clean($"kernel thread {never.Comm} never leaves {never.Function}: the transition cannot end"), terminal.Columns);
    }

    private static Table Units(BlockingFacts running)
    {
        var table = new Table(new Column("UNIT", MinWidth: 20), new Column("TASKS"), new Column("BLOCKED"));
        foreach (var unit in running.Units)
            table.Add(new Cell(unit.Name), new Cell($"{unit.Tasks}"), new Cell(unit.LongestBlocked is { } longest ? TimeText.Span(longest) : "-"));
        return table;
    }

    private static Table Tasks(BlockingFacts running)
    {
        var table = new Table(
            new Column("PID"),
            new Column("TID", DropOrder: 2),
            new Column("COMM"),
            new Column("STATE", DropOrder: 1),
            new Column("UID", DropOrder: 4),
            new Column("BLOCKED"),
            new Column("TRIES", DropOrder: 3),
            new Column("FUNCTION", MinWidth: 12),
            new Column("UNIT", MinWidth: 12));
        foreach (var task in running.Blockers)
        {
            table.Add(
                new Cell(task.Pid == 0 ? "-" : $"{task.Pid}"),
                new Cell(task.Tid == 0 ? "-" : $"{task.Tid}"),
                new Cell(task.Comm.Length == 0 ? "-" : task.Comm),
                new Cell(task.State),
                new Cell(task.Uid is { } uid ? $"{uid}" : "-"),
                new Cell(TimeText.ShortSpan(task.Blocked)),
                new Cell($"{task.Attempts}"),
                new Cell(task.Function ?? (task.StackReadable ? "-" : "not shown"), task.NeverCompletes ? Paint.Bad : Paint.None),
                new Cell(task.Own ? "livepatchd itself" : task.KernelThread ? "kernel thread" : task.Unit ?? BlockerReport.NoUnit));
        }
        return table;
    }
}
