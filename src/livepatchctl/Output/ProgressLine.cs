// One line on a terminal that says what a wait is waiting for; nothing at all elsewhere.
namespace LivePatchd.Ctl.Output;

internal sealed class ProgressLine(Terminal terminal) : IDisposable
{
    private const string ToStartAndClear = "\r\e[K";

    private bool _shown;

    public void Show(string text)
    {
        if (!terminal.ErrorIsTty)
            return;
        // One column less than there are, so that the cursor stays on the line.
        terminal.Error.Write(ToStartAndClear + TextOf.Cut(TextOf.Clean(text), terminal.Columns - 1));
        _shown = true;
    }

    public void Dispose()
    {
        if (_shown)
            terminal.Error.Write(ToStartAndClear);
        _shown = false;
    }
}
