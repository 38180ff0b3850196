// Which texts name a systemd service that can be started.
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

    private static readonly System.Buffers.SearchValues<char> Allowed =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.\\-@");
}
