// The kernel's log cut into reports of trouble: each with its kind, its lines and the modules it names.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Health;

/// <param name="Kind">The gravest kind among its lines: KernelOops, KernelLockup, KernelWarning.</param>
/// <param name="Sequence">Of its first line.</param>
/// <param name="At">Of its first line, by the log's clock.</param>
public sealed record KernelReport(Reason Kind, ulong Sequence, TimeSpan At, ImmutableArray<string> Lines)
{
    /// <summary>It has the form that the kernel's report of this kind has; a line alone may be a program's.</summary>
    public bool IsWhole => ReportForm.IsWhole(Kind, Lines);

    /// <summary>A frame "function+0x1/0x2 [name]", or the file "name.c:12".</summary>
    public bool Names(PatchName patch)
    {
        var name = patch.ToString();
        return Lines.Any(l => KernelFrame.Module(l) == name || KernelFrame.File(l) == name);
    }
}

public static class KernelReports
{
    /// <summary>A report is whole this long after its first line, on any machine that still works.</summary>
    public static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(300);

    /// <summary>The lines of one report are written at once.</summary>
    private static readonly TimeSpan MaxGap = TimeSpan.FromSeconds(1);

    private const int MaxLines = 256;

    /// <param name="lines">Oldest first; those that programs wrote are passed over.</param>
    public static ImmutableArray<KernelReport> Find(IEnumerable<KernelLogRecord> lines)
    {
        var reports = ImmutableArray.CreateBuilder<KernelReport>();
        KernelReport? open = null;
        var last = TimeSpan.Zero;
        foreach (var line in lines.Where(l => l.FromKernel))
        {
            if (open is not null && (line.Timestamp - last > MaxGap || open.Lines.Length >= MaxLines))
                Close();
            var kind = KernelLine.Classify(line);
            var head = kind is null ? null : ReportForm.Head(KernelLine.Bare(line.Message));
            // What a program may have written does not swallow the report that comes next.
            if (open is not null && head is not null && open.Lines.All(l => ReportForm.Head(KernelLine.Bare(l)) is null))
                Close();
            if (open is not null)
                open = open with { Kind = Graver(open.Kind, head), Lines = open.Lines.Add(line.Message) };
            else if (kind is { } begins)
                open = new KernelReport(begins, line.Sequence, line.Timestamp, [line.Message]);
            last = line.Timestamp;
            if (open is not null && line.Message.StartsWith("---[ end ", StringComparison.Ordinal))
                Close();
        }
        Close();
        return reports.ToImmutable();

        void Close()
        {
            if (open is not null)
                reports.Add(open);
            open = null;
        }
    }

    private static Reason Graver(Reason one, Reason? other) =>
        other is Reason.KernelOops || one is Reason.KernelOops ? Reason.KernelOops
        : other is Reason.KernelLockup || one is Reason.KernelLockup ? Reason.KernelLockup
        : one;
}
