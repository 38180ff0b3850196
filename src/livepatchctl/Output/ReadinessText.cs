// The readiness of the installed kernels for people: a table, and under it what is to be said of each.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Readiness;

namespace LivePatchd.Ctl.Output;

internal static class ReadinessText
{
    private const int LabelWidth = 10;
    private const int MaxListed = 20;
    private const int MaxInTable = 2;
    private const string More = "; --json shows all";
    private const string Limits = "Lost is what no patch for that kernel names. Whether that kernel has the fix itself, and whether it would take the patches (signatures, symbols), is not known here.";

    public static void Print(Terminal terminal, ReadinessReport report)
    {
        var table = new Table(new Column("KERNEL", MinWidth: 20), new Column("PATCHES", MinWidth: 16), new Column("LOST", MinWidth: 12));
        foreach (var kernel in report.Kernels)
        {
            table.Add(
                new Cell(kernel.IsRunning ? $"{kernel.Release} (running)" : kernel.Release),
                new Cell(Counts(kernel.Folder)),
                new Cell(Lost(kernel), kernel.Lost is null ? Paint.Moving : kernel.IsWanting ? Paint.Bad : Paint.Good));
        }
        foreach (var line in table.Lines(terminal.Columns, terminal.HasColour))
            terminal.Out.WriteLine(line);
        foreach (var kernel in report.Kernels.Where(static k => k.IsWanting || k.Folder.Unreadable.Count > 0 || k.Folder.Files.Any(static f => f.Standing is not FileStanding.Ready)))
            Print(terminal, report, kernel);
        terminal.Out.WriteLine();
        var facts = new Facts(terminal, LabelWidth);
        facts.AddList("Fixed now", [.. report.InForce.Select(static p => $"{string.Join(", ", p.Cves)} ({CveAnswer.Named(p)})")], MaxListed, More);
        facts.AddList("Looked in", report.Directories, MaxListed, More);
        if (report.Host is { State: not HostFacts.Running } host)
            facts.Add("Note", $"livepatchd is {PatchText.StateAndReason(host.State, host.Reason)}: while that is so it loads nothing");
        facts.AddList("Not known", report.Unknown, MaxListed, More);
        facts.Add("Note", Limits, Paint.Faint);
    }

    private static void Print(Terminal terminal, ReadinessReport report, KernelOutlook kernel)
    {
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(Paint.Strong.On(TextOf.Clean(kernel.Release), terminal.HasColour));
        var facts = new Facts(terminal, LabelWidth);
        string Fixed(string cve) => $"{cve}, fixed now by {string.Join(", ", report.FixersOf(cve))}";
        facts.AddList("Lost", [.. (kernel.Lost ?? []).Select(Fixed)], MaxListed, More);
        facts.AddList("Unsure", [.. (kernel.Unsure ?? []).Select(cve => $"{Fixed(cve)}; for this kernel: {string.Join(", ", kernel.Folder.Files.Where(f => f.IsPossible && f.NamesCve(cve)).Select(static f => f.FileName))}")], MaxListed, More);
        facts.AddList("Lost patch", [.. (kernel.LostPatches ?? []).Select(static p => $"{p}, in force now; it names no CVE")], MaxListed, More);
        facts.AddList("Unsure", [.. (kernel.UnsurePatches ?? []).Select(static p => $"{p}, in force now; no file for this kernel has its name")], MaxListed, More);
        foreach (var (label, standing) in new[] { ("Refused", FileStanding.Refused), ("Kept out", FileStanding.KeptOut) })
            facts.AddList(label, [.. kernel.Folder.Files.Where(f => f.Standing == standing).Select(Why)], MaxListed, More);
        facts.AddList("Unreadable", kernel.Folder.Unreadable, MaxListed, More);
    }

    private static string Why(PatchFile file) => file.Reason is { } reason
        ? $"{file.FileName} ({reason.Word()}){(string.IsNullOrEmpty(file.Detail) ? "" : $": {file.Detail}")}"
        : $"{file.FileName}: {file.Detail}";

    private static string Counts(PatchFolder folder)
    {
        if (folder.Files.Count == 0)
            return folder.Unreadable.Count > 0 ? "not readable" : "none";
        return string.Join(", ", folder.Files.CountBy(static f => f.Standing).OrderBy(static c => c.Key).Select(static c => $"{c.Value} {PatchFile.Word(c.Key)}"));
    }

    private static string Lost(KernelOutlook kernel)
    {
        if (kernel.Lost is null)
            return "not known";
        List<string> cves = [.. kernel.Lost, .. kernel.LostPatches ?? [], .. kernel.Unsure!.Select(static c => $"{c}?"), .. (kernel.UnsurePatches ?? []).Select(static p => $"{p}?")];
        return cves.Count == 0 ? "nothing"
            : cves.Count <= MaxInTable ? string.Join(", ", cves)
            : $"{cves[0]} and {cves.Count - 1} more";
    }
}
