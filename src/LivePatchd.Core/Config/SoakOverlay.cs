// A manifest's soak over the host's: its author knows how long and who confirms, but switches none of the host's checks off.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Config;

public static class SoakOverlay
{
    /// <summary>The probation of this patch. The services of both lists must succeed; a manifest that may not be followed changes nothing.</summary>
    public static SoakSettings For(Manifest? manifest, SoakSettings host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (manifest?.Soak is not { } soak || Looser(manifest, host) is not null)
            return host;
        ImmutableArray<string> commands = [.. host.Checks.Commands.Union(soak.Commands ?? [], StringComparer.Ordinal)];
        return (soak with { Commands = commands }).Over(host);
    }

    /// <summary>Null when the manifest asks for nothing that it may not; else the first such key: a manifest mismatch.</summary>
    public static string? Looser(Manifest manifest, SoakSettings host)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(host);
        if (manifest.Soak is not { } soak)
            return null;
        return Off("warnings", soak.Warnings, host.Checks.Warnings)
            ?? Off("oops", soak.Oops, host.Checks.Oops)
            ?? Off("units", soak.Units, host.Checks.Units);
    }

    private static string? Off(string key, bool? own, bool host) =>
        own == false && host ? $"soak.checks.{key}: a manifest may not switch off a check that the host makes" : null;
}
