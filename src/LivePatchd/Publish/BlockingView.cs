// The running transition as every surface shows it: how far it is, and who is in its way.
using LivePatchd.Core.Model;

namespace LivePatchd.Publish;

/// <param name="Overdue">It runs longer than the soft deadline: who is still in its way stalls it.</param>
/// <param name="Token">Of the report: what an operator must name to force the transition; null while there is no report.</param>
/// <param name="Report">Null until a first pass over the tasks has ended.</param>
internal sealed record BlockingView(PatchName Patch, bool Enabling, Instant Since, bool Overdue, string? Token, BlockerReport? Report)
{
    public int StalledTasks => Overdue && Report is { } report ? report.Stalled : 0;
}
