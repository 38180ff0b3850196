// docs/reasons.md is the table of reasons, and nothing else.
using System.Text;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Model;

public sealed class ReasonDocumentTests
{
    private static readonly (ReasonKind Kind, string Title, string Text)[] Kinds =
    [
        (ReasonKind.Permanent, "Permanent", "The same bytes fail again in the same boot. Not tried again until the file or the boot changes, or somebody runs `livepatchctl apply NAME`."),
        (ReasonKind.Retryable, "Retryable", "May pass by itself. Tried again after `transition.backoff`, doubled each time, and at once when the cause is seen to go or somebody runs `livepatchctl apply NAME`."),
        (ReasonKind.Informative, "Informative", "No failure: it says why a patch or the host is as it is."),
    ];

    [Fact]
    public void The_document_is_the_table() => RepositoryFile.Check("docs/reasons.md", Print());

    private static string Print()
    {
        var text = new StringBuilder("""
            # Reasons

            Every state that needs an explanation has one of these words, the same on D-Bus, in `livepatchctl`, in the journal (`LIVEPATCH_REASON=`) and in the logs.
            The list is closed. This page is generated from `src/LivePatchd.Core/Model/ReasonTable.cs`; a test compares the two.

            The exit code is that of `livepatchctl apply NAME` when the patch ends up held, rejected or reversed for the reason. The D-Bus error (below
            `org.livepatchd1.Error.`) is that of a call that is refused for it. Every journal entry with a reason has the reason's `MESSAGE_ID=`
            beside that of its event, so that `journalctl MESSAGE_ID=...` finds both.

            """);
        foreach (var (kind, title, about) in Kinds)
        {
            text.Append($"\n## {title}\n\n{about}\n\n| reason | what it means | what to do | exit | D-Bus error | MESSAGE_ID |\n|---|---|---|---|---|---|\n");
            foreach (var info in ReasonTable.All.Where(i => i.Kind == kind))
                text.Append($"| `{info.Word}` | {Cell(info.Sentence)} | {Cell(info.NextStep)} | {info.Reason.ExitCode()} | `{info.Reason.BusError()}` | `{info.Reason.MessageId()}` |\n");
        }
        return text.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
