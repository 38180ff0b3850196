// A manifest's soak over the host's: its author may ask for more time, more care and checks that the host has; for less, never.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Config;

public static class SoakOverlay
{
    /// <summary>The probation of this patch. The services of both lists must succeed; a manifest that may not be followed changes nothing.</summary>
    /// <param name="checks">Services of the host's health.d: what else a manifest may name.</param>
    public static SoakSettings For(Manifest? manifest, SoakSettings host, ImmutableArray<string> checks)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (manifest?.Soak is not { } soak || Looser(manifest, host, checks) is not null)
            return host;
        ImmutableArray<string> commands = [.. host.Checks.Commands.Union(soak.Commands ?? [], StringComparer.Ordinal)];
        return (soak with { Commands = commands }).Over(host);
    }

    /// <summary>Null when the manifest asks for nothing that it may not; else the first such key: a manifest mismatch.</summary>
    /// <param name="checks">As for <see cref="For"/>.</param>
    public static string? Looser(Manifest manifest, SoakSettings host, ImmutableArray<string> checks)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(host);
        if (manifest.Soak is not { } soak)
            return null;
        return Weaker("warnings", soak.Warnings, host.Checks.Warnings)
            ?? Weaker("oops", soak.Oops, host.Checks.Oops)
            ?? Weaker("units", soak.Units, host.Checks.Units)
            ?? Weaker("pressure", soak.Pressure, host.Checks.Pressure)
            ?? (soak.Coincidental is { } units && units.Except(host.Checks.Coincidental, StringComparer.Ordinal).Any() ? "soak.checks.coincidental-units: a manifest may not excuse units that the host does not" : null)
            ?? (soak.UnitUptime > host.Checks.UnitUptime ? "soak.checks.unit-uptime: a manifest may not excuse units that the host does not" : null)
            ?? (soak.Duration is { } own && own < host.Duration ? $"soak.duration: {DurationText.Format(own)} is shorter than the host's {DurationText.Format(host.Duration)}" : null)
            ?? (soak is { Confirm: SoakConfirm.Automatic } && host.Confirm is SoakConfirm.Manual ? "soak.confirm: automatic is looser than the host's manual" : null)
            ?? Unknown(soak.Commands ?? [], host.Checks.Commands, checks);
    }

    /// <summary>Starting a service is root's to decide: a manifest chooses among those that the host has as checks.</summary>
    private static string? Unknown(ImmutableArray<string> own, ImmutableArray<string> host, ImmutableArray<string> checks) =>
        own.FirstOrDefault(c => !host.Contains(c, StringComparer.Ordinal) && !checks.Contains(c, StringComparer.Ordinal)) is { } unknown
            ? $"soak.checks.commands: {unknown} is neither in this host's soak.checks.commands nor in health.d"
            : null;

    private static string? Weaker(string key, CheckWeight? own, CheckWeight host) =>
        own < host ? $"soak.checks.{key}: a manifest may not weaken a check that the host makes" : null;
}
