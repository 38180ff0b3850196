// Where output goes: the two standard streams, and what may be sent to them (colour, redraws, how wide).
using System.Text;

namespace LivePatchd.Ctl.Output;

internal sealed class Terminal : IDisposable
{
    public const int DefaultColumns = 80;
    private const int DefaultRows = 24;

    // The first that is set counts, as for the C library.
    private static readonly string[] LocaleVariables = ["LC_ALL", "LC_CTYPE", "LANG"];

    private readonly Func<(int Columns, int Rows)?> _size;
    private bool _abandoned;

    public Terminal(TextWriter output, TextWriter error, bool outputIsTty, bool errorIsTty, bool mayColour, Func<(int Columns, int Rows)?> size)
    {
        Out = output;
        Error = error;
        IsTty = outputIsTty;
        ErrorIsTty = errorIsTty;
        HasColour = outputIsTty && mayColour;
        _size = size;
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>Standard output is a terminal that can move its cursor.</summary>
    public bool IsTty { get; }

    public bool ErrorIsTty { get; }

    public bool HasColour { get; }

    /// <summary>A terminal that shows characters outside ASCII; what is piped may go anywhere.</summary>
    public bool HasUnicode { get; init; }

    public int Columns => _size()?.Columns ?? DefaultColumns;

    public int Rows => _size()?.Rows ?? DefaultRows;

    public static Terminal OfProcess()
    {
        const int Output = 1, Error = 2;
        var isDumb = Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
        var isTty = !isDumb && Tty.Is(Output);
        return new Terminal(
            Writer(Output, autoFlush: false),
            Writer(Error, autoFlush: true),
            isTty,
            !isDumb && Tty.Is(Error),
            string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
            () => isTty ? Tty.Size(Output) : null)
        {
            HasUnicode = isTty && IsUtf8(),
        };
    }

    /// <summary>Standard output cannot be written: what is buffered for it is given up.</summary>
    public void Abandon() => _abandoned = true;

    public void Dispose()
    {
        if (!_abandoned)
            Out.Dispose();
        Error.Dispose();
    }

    private static bool IsUtf8()
    {
        var locale = LocaleVariables.Select(Environment.GetEnvironmentVariable).FirstOrDefault(static v => !string.IsNullOrEmpty(v)) ?? "";
        return locale.Contains("UTF-8", StringComparison.OrdinalIgnoreCase) || locale.Contains("UTF8", StringComparison.OrdinalIgnoreCase);
    }

    private static StreamWriter Writer(int fd, bool autoFlush) =>
        new(new StandardStream(fd), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), bufferSize: 8192) { AutoFlush = autoFlush, NewLine = "\n" };
}
