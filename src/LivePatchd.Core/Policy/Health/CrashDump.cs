// What the kernel kept of its last moments, as pstore hands it out: files with parts of its log, put together again.
using System.Collections.Immutable;
using System.Globalization;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Health;

/// <param name="Name">dmesg-BACKEND-ID or console-BACKEND-ID, as in /sys/fs/pstore.</param>
/// <param name="WrittenAt">When the kernel wrote it, to the second.</param>
public sealed record CrashFile(string Name, DateTimeOffset WrittenAt, string Text)
{
    /// <summary>A file of the kernel's log that can be read: not what programs wrote (pmsg), nor what could not be unpacked.</summary>
    public static bool IsLog(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return (name.StartsWith("dmesg-", StringComparison.Ordinal) || name.StartsWith("console-", StringComparison.Ordinal))
            && !name.EndsWith(".z", StringComparison.Ordinal);
    }
}

/// <param name="WrittenAt">When the kernel wrote the first of its files.</param>
/// <param name="Reports">Those that have the kernel's own form.</param>
public sealed record CrashDump(DateTimeOffset WrittenAt, ImmutableArray<KernelReport> Reports)
{
    /// <summary>The parts of one dump are written in one go.</summary>
    private static readonly TimeSpan MaxSpread = TimeSpan.FromMinutes(1);

    /// <summary>What the report of the trouble begins with; null where there is none.</summary>
    public string? Headline => Reports.Select(static r => r.Lines[0]).FirstOrDefault();

    public bool Names(PatchName patch) => Reports.Any(r => r.Names(patch));

    /// <summary>Those in which the kernel reports trouble; a console's record of a boot in which there was none is no dump.</summary>
    public static ImmutableArray<CrashDump> Read(IEnumerable<CrashFile> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var dumps = new List<List<Part>>();
        foreach (var part in files.Where(static f => CrashFile.IsLog(f.Name)).Select(Part.Of).OrderBy(static p => p.File.WrittenAt))
        {
            var dump = dumps.LastOrDefault(d => d[0].Head == part.Head && part.Head.Length > 0
                && part.File.WrittenAt - d[0].File.WrittenAt <= MaxSpread && d.All(p => p.Number != part.Number));
            if (dump is null)
                dumps.Add(dump = []);
            dump.Add(part);
        }
        return [.. dumps.Select(Joined).Where(static d => !d.Reports.IsEmpty)];
    }

    /// <summary>The first part has the newest lines.</summary>
    private static CrashDump Joined(List<Part> parts)
    {
        var lines = new List<KernelLogRecord>();
        foreach (var text in parts.OrderByDescending(static p => p.Number).SelectMany(static p => p.Text.Split('\n')))
            lines.Add(Line(text, (ulong)lines.Count, lines.Count > 0 ? lines[^1].Timestamp : TimeSpan.Zero));
        ImmutableArray<KernelReport> reports = [.. KernelReports.Find(lines).Where(static r => r.IsWhole)];
        return new CrashDump(parts[0].File.WrittenAt, reports);
    }

    /// <summary>"&lt;4&gt;[   12.345678][   T97] text"; a console has no priorities, and whoever may write to it may load modules.</summary>
    private static KernelLogRecord Line(string line, ulong sequence, TimeSpan last)
    {
        var rest = line.AsSpan().TrimEnd('\r');
        var (priority, facility) = (4, 0);
        if (LineTemplate.Match(rest, "<$>") is { } word && int.TryParse(rest[1..(word - 1)], NumberStyles.None, CultureInfo.InvariantCulture, out var both))
        {
            (priority, facility) = (both & 7, both >> 3);
            rest = rest[word..];
        }
        var at = last;
        if (Bracketed(rest, out var time, out var behind) && double.TryParse(time, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds < uint.MaxValue)
        {
            at = TimeSpan.FromSeconds(seconds);
            rest = behind;
            if (Bracketed(rest, out var caller, out behind) && (LineTemplate.Match(caller, "T$") == caller.Length || LineTemplate.Match(caller, "C$") == caller.Length))
                rest = behind;
            if (rest.StartsWith(" "))
                rest = rest[1..];
        }
        return new KernelLogRecord(priority, facility, sequence, at, new string(rest));
    }

    /// <summary>"[  inside]behind", with or without a blank before it.</summary>
    private static bool Bracketed(ReadOnlySpan<char> text, out ReadOnlySpan<char> inside, out ReadOnlySpan<char> behind)
    {
        text = text.TrimStart(' ');
        var end = text.StartsWith("[") ? text.IndexOf(']') : -1;
        inside = end > 0 ? text[1..end].Trim(' ') : default;
        behind = end > 0 ? text[(end + 1)..] : text;
        return end > 0;
    }

    /// <param name="Head">"Panic#1" of the first line "Panic#1 Part2"; empty where there is no such line.</param>
    private sealed record Part(CrashFile File, string Head, int Number, string Text)
    {
        public static Part Of(CrashFile file)
        {
            var end = file.Text.IndexOf('\n', StringComparison.Ordinal);
            var first = end < 0 ? file.Text : file.Text[..end];
            var words = first.Split(' ');
            return words is [var head, var part] && head.Contains('#', StringComparison.Ordinal) && LineTemplate.IsAll(part, "Part$")
                && int.TryParse(part.AsSpan(4), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? new Part(file, head, number, end < 0 ? "" : file.Text[(end + 1)..])
                : new Part(file, "", 1, file.Text);
        }
    }
}
