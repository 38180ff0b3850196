// Which texts name a systemd service that can be started.
using System.IO.Enumeration;

namespace LivePatchd.Core.Parsing;

public static class UnitName
{
    /// <summary>systemd's own limit.</summary>
    public const int MaxLength = 255;

    private const string Service = ".service";

    /// <summary>A service, not a bare template: systemd's characters, and nothing that could be a path.</summary>
    public static bool IsService(string? text)
    {
        if (text is null || text.Length > MaxLength || text.Length <= Service.Length || !text.EndsWith(Service, StringComparison.Ordinal) || text[0] is '.' or '-' or '@')
            return false;
        var stem = text.AsSpan(0, text.Length - Service.Length);
        return !stem.EndsWith("@") && !stem.ContainsAnyExcept(Allowed);
    }

    /// <summary>systemd's characters and *, as a whole name.</summary>
    public static bool IsPattern(string? text) => text is { Length: > 0 and <= MaxLength } && !text.Replace("*", "", StringComparison.Ordinal).AsSpan().ContainsAnyExcept(Allowed);

    /// <param name="pattern">With * for any run of characters, none included.</param>
    public static bool Fits(string unit, string pattern)
    {
        ArgumentNullException.ThrowIfNull(unit);
        ArgumentNullException.ThrowIfNull(pattern);
        // In a unit's name a backslash is one of its characters; the matcher takes it as the escape of the next.
        return FileSystemName.MatchesSimpleExpression(pattern.Replace("\\", "\\\\", StringComparison.Ordinal), unit, ignoreCase: false);
    }

    private static readonly System.Buffers.SearchValues<char> Allowed =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.\\-@");
}
