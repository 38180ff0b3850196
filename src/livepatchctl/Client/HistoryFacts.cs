// The daemon's history document, checked before it is shown.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Policy.Impact;

namespace LivePatchd.Ctl.Client;

/// <param name="Text">As the daemon gave it, on one line.</param>
internal sealed record HistoryFacts(string Text, ImmutableArray<HistoryEntry> Entries)
{
    /// <summary>Null when the document is not of the shape that the contract fixes.</summary>
    public static HistoryFacts? Parse(string text) =>
        ImpactJson.ReadHistory(Encoding.UTF8.GetBytes(text)) is { } entries ? new HistoryFacts(text, entries) : null;
}
