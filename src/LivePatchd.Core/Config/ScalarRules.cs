// The kinds of single values that keys hold: each rule names what it expects when a value does not fit.
using System.Globalization;
using System.Net;

namespace LivePatchd.Core.Config;

internal static class ScalarRules
{
    /// <summary>Longest path of a unix socket: sun_path is 108 bytes with its NUL.</summary>
    public const int MaxSocketPath = 107;

    private const int MaxPath = 1024;

    public static ScalarRule Word(params string[] words) => text =>
    {
        if (words.Contains(text, StringComparer.Ordinal))
            return null;
        var hint = KeySuggestion.Nearest(text, words) is { } near ? $"; {KeySuggestion.Ask(near)}" : "";
        return $"{ConfigText.Quote(text)} is not {(words.Length == 1 ? "" : "one of ")}{string.Join(", ", words)}{hint}";
    };

    public static ScalarRule Boolean { get; } = Word("true", "false");

    public static ScalarRule Duration(string min, string max)
    {
        var (low, high) = (DurationText.TryParse(min), DurationText.TryParse(max));
        return text => DurationText.TryParse(text) switch
        {
            null => $"{ConfigText.Quote(text)} is not a duration such as 250ms, 30s, 5m, 6h or 1h30m",
            { } span when span < low || span > high => $"{ConfigText.Quote(text)} is not between {min} and {max}",
            _ => null,
        };
    }

    /// <summary>`auto`, or what the rule takes.</summary>
    public static ScalarRule Auto(ScalarRule rule) => text => text == "auto" ? null : rule(text) is { } message ? $"{message}, nor auto" : null;

    public static ScalarRule Whole(int min, int max) => text =>
        TryWhole(text) is not { } number ? $"{ConfigText.Quote(text)} is not a whole number"
        : number < min || number > max ? $"{ConfigText.Quote(text)} is not between {min} and {max}"
        : null;

    /// <summary>Decimal notation only: no exponents, no infinities.</summary>
    public static ScalarRule Number(decimal min, decimal max, string noun) => text =>
        TryNumber(text) is not { } number ? $"{ConfigText.Quote(text)} is not {noun}"
        : number < min || number > max
            ? string.Create(CultureInfo.InvariantCulture, $"{ConfigText.Quote(text)} is not between {min} and {max}")
            : null;

    public static ScalarRule Ratio { get; } = Number(0, 1, "a ratio such as 0.5");

    public static ScalarRule Percentage { get; } = Number(0, 100, "a percentage such as 20");

    /// <summary>A path in its one normal spelling, so that two spellings of one path cannot disagree.</summary>
    public static ScalarRule AbsolutePath(int maxLength = MaxPath) => text =>
    {
        if (!text.StartsWith('/'))
            return $"{ConfigText.Quote(text)} is not an absolute path";
        if (text.Length > maxLength)
            return $"the path is longer than {maxLength} characters";
        if (!ConfigText.IsOneLine(text))
            return $"{ConfigText.Quote(text)} holds a control character";
        if (text.Length == 1)
            return "the root directory is not meant";
        foreach (var part in text[1..].Split('/'))
        {
            if (part is "" or "." or "..")
                return $"{ConfigText.Quote(text)} must be written without \"..\", \".\", double or trailing slashes";
        }
        return null;
    };

    /// <summary>The metrics are for a scraper on this host: anything but loopback is refused, names too (they can resolve to anything).</summary>
    public static string? LoopbackOrOff(string text)
    {
        if (text == "off")
            return null;
        if (!IPEndPoint.TryParse(text, out var end) || end.Port == 0 || end.ToString() != text)
            return $"{ConfigText.Quote(text)} is neither off nor ADDRESS:PORT such as 127.0.0.1:9817 or [::1]:9817";
        return IPAddress.IsLoopback(end.Address) && !end.Address.IsIPv4MappedToIPv6
            ? null
            : $"{ConfigText.Quote(text)} is not a loopback address; use 127.0.0.1 or [::1] and a local scraper or proxy";
    }

    /// <summary>node_exporter reads the files of its directory that end in .prom, and no others.</summary>
    public static string? TextFileOrOff(string text)
    {
        if (text == "off")
            return null;
        if (!text.StartsWith('/') || !text.EndsWith(".prom", StringComparison.Ordinal) || text.EndsWith("/.prom", StringComparison.Ordinal))
            return $"{ConfigText.Quote(text)} is neither off nor an absolute path that ends in .prom";
        return AbsolutePath()(text);
    }

    public static string? TimeOfDay(string text) =>
        TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            ? null
            : $"{ConfigText.Quote(text)} is not a time of day such as \"01:00\"";

    /// <summary>Only the spelling: whether the zone exists is known to the host's time zone database, not to the core.</summary>
    public static string? TimeZoneName(string text)
    {
        var plausible = text.Length is > 0 and <= 64 && char.IsAsciiLetter(text[0]) && !text.EndsWith('/') && !text.Contains("//", StringComparison.Ordinal);
        foreach (var c in text)
            plausible &= char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '/' or '-';
        return plausible ? null : $"{ConfigText.Quote(text)} is not a time zone name such as Europe/Berlin or UTC";
    }

    /// <summary>What systemd takes as the name of a service: no path, no template without its instance.</summary>
    public static string? ServiceName(string text) =>
        Parsing.UnitName.IsService(text) ? null : $"{ConfigText.Quote(text)} is not the name of a systemd service such as check-web.service";

    /// <summary>The name of a unit, with * for any run of characters.</summary>
    public static string? UnitPattern(string text) =>
        Parsing.UnitName.IsPattern(text) ? null : $"{ConfigText.Quote(text)} is not a pattern of systemd units such as user@*";

    /// <summary>What a check of the soak is worth; true and false are its spellings of old.</summary>
    public static ScalarRule Weight { get; } = Word("report", "suspect", "attributed", "true", "false");

    public static string? CpuChoice(string text) =>
        text is "auto" or "none" || TryWhole(text) is >= 0 and <= 8191
            ? null
            : $"{ConfigText.Quote(text)} is not auto, none or the number of a CPU";

    public static string? UserName(string text)
    {
        var plausible = text.Length is > 0 and <= 32 && (char.IsAsciiLetterLower(text[0]) || text[0] == '_');
        foreach (var c in text)
            plausible &= char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '-';
        return plausible ? null : $"{ConfigText.Quote(text)} is not a user name";
    }

    /// <summary>Text that people read.</summary>
    public static ScalarRule Line(int maxLength) => text =>
        text.Length > maxLength ? $"the text is longer than {maxLength} characters"
        : ConfigText.IsOneLine(text) ? null
        : $"{ConfigText.Quote(text)} holds a control character";

    public static ScalarRule Lines(int maxLength) => text =>
        text.Length > maxLength ? $"the text is longer than {maxLength} characters"
        : ConfigText.IsOneLine(text.Replace("\n", "", StringComparison.Ordinal).Replace("\t", "", StringComparison.Ordinal)) ? null
        : "the text holds a control character";

    public static ScalarRule Matching(Func<string, bool> test, string noun) => text =>
        test(text) ? null : $"{ConfigText.Quote(text)} is not {noun}";

    internal static int? TryWhole(string text) =>
        text.Length <= 9 && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static decimal? TryNumber(string text) =>
        text.Length <= 12 && decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
