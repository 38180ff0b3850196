// Which module's code runs for each livepatched function; only kernels with the `stack_order` attribute tell.
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Kpatch;

internal static class PatchedFunctions
{
    private static readonly string[] Head = ["Module", "Object", "Function/Occurrence"];

    /// <param name="running">The patch in transition; null for none.</param>
    public static void Show(KpatchHost host, IEnumerable<PatchFacts> loaded, string? running)
    {
        var rows = loaded
            .Where(static p => p.StackOrder is not null)
            .SelectMany(static p => p.Functions.Select(f => (Patch: p, Function: f)))
            .GroupBy(static f => f.Function)
            .Select(static same => same.MaxBy(static f => f.Patch.StackOrder))
            .OrderBy(static f => f.Function.Object, StringComparer.Ordinal).ThenBy(static f => f.Function.Name, StringComparer.Ordinal)
            .Select(f => (string[])[f.Patch.Name, f.Function.Object, Occurrence(f.Function.Name), .. f.Patch.Name == running ? ["(transition)"] : Array.Empty<string>()])
            .ToList();
        if (rows.Count == 0)
            return;
        rows.Insert(0, Head);
        host.Say("");
        host.Say("Currently livepatched functions:");
        // As column(1) does it: every column but the last of the table is padded.
        var widths = Enumerable.Range(0, rows.Max(static r => r.Length) - 1).Select(i => rows.Max(r => r.ElementAtOrDefault(i)?.Length ?? 0)).ToList();
        foreach (var row in rows)
            host.Say(string.Concat(row.Select((cell, i) => i < widths.Count ? cell.PadRight(widths[i] + 2) : cell)));
    }

    // The daemon leaves out that a function is the first of its name.
    private static string Occurrence(string function) => function.Contains(',', StringComparison.Ordinal) ? function : function + ",1";
}
