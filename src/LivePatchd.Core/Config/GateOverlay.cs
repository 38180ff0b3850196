// A manifest's gates over the host's: its author may ask for more calm than the operator, and for less only in a critical patch.
using System.Globalization;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Config;

public static class GateOverlay
{
    /// <summary>The gates this patch waits at. Marks that are looser than the host's count for a critical patch only.</summary>
    public static GateSettings For(Manifest? manifest, GateSettings host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (manifest?.Gates is not { } gates || Looser(manifest, host) is not null)
            return host;
        if (manifest.Severity is Severity.Critical)
            return gates.Over(host);
        // Two sets of windows cannot be merged into one: the host's stay, and the patch's are asked as well.
        return (gates with { Windows = null }).Over(host) with { PatchWindows = gates.Windows ?? [] };
    }

    /// <summary>Null when the manifest asks for nothing that it may not; else the first such key, with both values: a manifest mismatch.</summary>
    public static string? Looser(Manifest manifest, GateSettings host)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(host);
        if (manifest.Gates is not { } gates || manifest.Severity is Severity.Critical)
            return null;
        return Mark("load.max-per-cpu", gates.LoadMaxPerCpuRatio, host.Load.MaxPerCpuRatio, 1)
            ?? Mark("load.reopen-below", gates.LoadReopenBelowRatio, host.Load.ReopenBelowRatio, 1)
            ?? Mark("io-pressure.some-avg10", gates.IoSomeRatio, host.Io.SomeRatio, 100)
            ?? Mark("io-pressure.full-avg10", gates.IoFullRatio, host.Io.FullRatio, 100)
            ?? Mark("io-pressure.reopen-ratio", gates.IoReopenRatio, host.Io.ReopenRatio, 1)
            ?? Mark("cpu-pressure.some-avg10", gates.CpuSomeRatio, host.Cpu.SomeRatio, 100)
            ?? Mark("memory-pressure.some-avg10", gates.MemorySomeRatio, host.Memory.SomeRatio, 100)
            ?? Mark("memory-pressure.full-avg10", gates.MemoryFullRatio, host.Memory.FullRatio, 100)
            ?? Mark("network.max-retransmit-ratio", gates.RetransmitRatio, host.Network.RetransmitRatio, 1)
            ?? Mark("network.max-squeezes-per-second", gates.SqueezesPerSecond, host.Network.SqueezesPerSecond, 1)
            ?? (gates.Windows is { IsEmpty: true } && !host.Windows.IsEmpty ? Text("windows", "none", "some") : null)
            ?? Span("min-uptime", gates.MinUptime, host.MinUptime)
            ?? Span("settle", gates.Settle, host.Settle)
            ?? (gates.Unavailable is WhenUnavailable.Apply && host.Unavailable is WhenUnavailable.Hold ? Text("unavailable", "apply", "hold") : null);
    }

    private static string? Mark(string key, double? own, double host, double unit) =>
        own > host ? Text(key, Number(own.Value * unit), Number(host * unit)) : null;

    private static string? Span(string key, TimeSpan? own, TimeSpan host) =>
        own < host ? Text(key, DurationText.Format(own.Value), DurationText.Format(host)) : null;

    private static string Text(string key, string own, string host) =>
        $"gates.{key}: {own} is looser than the host's {host}, which needs severity critical";

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}
