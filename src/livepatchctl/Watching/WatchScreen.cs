// The live view: one frame drawn over the last, with plain cursor movement.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Watching;

// The cursor is never hidden: it rests below the frame between two frames, and whatever ends this process leaves a sane terminal.
internal sealed class WatchScreen(Terminal terminal)
{
    private const int MaxGates = 5;
    private const string ClearToLineEnd = "\e[K";
    private const string ClearBelow = "\e[J";

    private int _drawn;

    public void Draw(WatchModel model, bool daemonIsPresent, DateTimeOffset now)
    {
        var lines = Frame(model, daemonIsPresent, now, terminal.Columns, terminal.Rows, terminal.HasColour);
        var text = new StringBuilder();
        if (_drawn > 0)
            text.Append("\e[").Append(_drawn).Append('A');
        foreach (var line in lines)
            text.Append(line).Append(ClearToLineEnd).Append('\n');
        text.Append(ClearBelow);
        _drawn = lines.Count;
        terminal.Out.Write(text.ToString());
        terminal.Out.Flush();
    }

    /// <summary>Never more lines than rows, less the one the cursor rests on.</summary>
    public static List<string> Frame(WatchModel model, bool daemonIsPresent, DateTimeOffset now, int columns, int rows, bool hasColour)
    {
        var host = model.Host;
        var state = daemonIsPresent ? PatchText.StateAndReason(host.State, host.Reason) : "livepatchd has left the bus, waiting for it";
        var lines = new List<string>
        {
            TextOf.Cut(TextOf.Clean($"livepatchd {host.Version}, kernel {host.KernelRelease}: {state}"), columns),
            TextOf.Cut(TextOf.Clean($"transition: {(host.Transition is { } running ? StatusCommand.Describe(running, now) : "none")}"), columns),
        };
        if (model.KnowsGates)
            lines.AddRange(Gates(model, now).Select(l => TextOf.Cut(TextOf.Clean(l), columns)));
        lines.Add("");
        var room = Math.Max(1, rows - lines.Count - 2);
        var patches = model.Patches;
        if (patches.Count == 0)
        {
            lines.Add("no patches");
            return lines;
        }
        var shown = patches.Count <= room ? patches : [.. patches.OrderBy(static p => Rank(p.KnownState)).Take(room - 1)];
        lines.AddRange(ListCommand.Tabulate(shown, now).Lines(columns, hasColour));
        if (shown.Count < patches.Count)
            lines.Add($"... and {patches.Count - shown.Count} more");
        return lines;
    }

    private static IEnumerable<string> Gates(WatchModel model, DateTimeOffset now)
    {
        var closed = model.ClosedGates;
        if (closed.Count == 0)
        {
            var board = model.Board;
            yield return $"gates: {(board.Open ? "open" : board.RetryAt is { } at ? $"{board.Reason}, next answer {TimeText.Relative(at, now)}" : board.Reason)}";
            yield break;
        }
        foreach (var (gate, i) in closed.Take(MaxGates).Select(static (g, i) => (g, i)))
            yield return $"{(i == 0 ? "gates:" : "      ")} {GateText.Closed(gate, now)}";
        if (closed.Count > MaxGates)
            yield return $"       ... and {closed.Count - MaxGates} more closed";
    }

    // What moves first, then what waits or failed, then what rests.
    private static int Rank(PatchState? state) => state.IsUnderWay() ? 0
        : state is PatchState.Held or PatchState.Rejected or PatchState.Quarantined or PatchState.Unsupported ? 1
        : 2;
}
