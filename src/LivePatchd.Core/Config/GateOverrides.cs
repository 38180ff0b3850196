// The `gates` section of one file, only what it sets: read from the configuration and from a manifest alike.
using System.Collections.Immutable;
using System.Globalization;

namespace LivePatchd.Core.Config;

/// <summary>Null means not set.</summary>
public sealed record GateOverrides
{
    public double? LoadMaxPerCpuRatio { get; init; }

    public double? LoadReopenBelowRatio { get; init; }

    public double? IoSomeRatio { get; init; }

    public double? IoFullRatio { get; init; }

    public double? IoReopenRatio { get; init; }

    public double? CpuSomeRatio { get; init; }

    public double? MemorySomeRatio { get; init; }

    public double? MemoryFullRatio { get; init; }

    public double? RetransmitRatio { get; init; }

    public double? SqueezesPerSecond { get; init; }

    public ImmutableArray<MaintenanceWindow>? Windows { get; init; }

    public TimeSpan? MinUptime { get; init; }

    public TimeSpan? Settle { get; init; }

    public WhenUnavailable? Unavailable { get; init; }

    internal static GateOverrides Read(ValueReader file) => new()
    {
        LoadMaxPerCpuRatio = file.Number("gates.load.max-per-cpu"),
        LoadReopenBelowRatio = file.Number("gates.load.reopen-below"),
        IoSomeRatio = file.Percent("gates.io-pressure.some-avg10"),
        IoFullRatio = file.Percent("gates.io-pressure.full-avg10"),
        IoReopenRatio = file.Number("gates.io-pressure.reopen-ratio"),
        CpuSomeRatio = file.Percent("gates.cpu-pressure.some-avg10"),
        MemorySomeRatio = file.Percent("gates.memory-pressure.some-avg10"),
        MemoryFullRatio = file.Percent("gates.memory-pressure.full-avg10"),
        RetransmitRatio = file.Number("gates.network.max-retransmit-ratio"),
        SqueezesPerSecond = file.Number("gates.network.max-squeezes-per-second"),
        Windows = file.Maps("gates.windows") is { } windows ? [.. windows.Select(Window).OfType<MaintenanceWindow>()] : null,
        MinUptime = file.Span("gates.min-uptime"),
        Settle = file.Span("gates.settle"),
        Unavailable = file.Text("gates.unavailable") switch
        {
            "apply" => WhenUnavailable.Apply,
            "hold" => WhenUnavailable.Hold,
            _ => null,
        },
    };

    /// <summary>These settings over those: what is not set here stays, and a low mark never ends up above its high mark.</summary>
    public GateSettings Over(GateSettings under)
    {
        ArgumentNullException.ThrowIfNull(under);
        var maxPerCpu = LoadMaxPerCpuRatio ?? under.Load.MaxPerCpuRatio;
        return under with
        {
            Load = new LoadMarks(maxPerCpu, Math.Min(LoadReopenBelowRatio ?? under.Load.ReopenBelowRatio, maxPerCpu)),
            Io = new PressureMarks(IoSomeRatio ?? under.Io.SomeRatio, IoFullRatio ?? under.Io.FullRatio, IoReopenRatio ?? under.Io.ReopenRatio),
            Cpu = under.Cpu with { SomeRatio = CpuSomeRatio ?? under.Cpu.SomeRatio },
            Memory = under.Memory with { SomeRatio = MemorySomeRatio ?? under.Memory.SomeRatio, FullRatio = MemoryFullRatio ?? under.Memory.FullRatio },
            Network = new NetworkMarks(RetransmitRatio ?? under.Network.RetransmitRatio, SqueezesPerSecond ?? under.Network.SqueezesPerSecond),
            Windows = Windows ?? under.Windows,
            MinUptime = MinUptime ?? under.MinUptime,
            Settle = Settle ?? under.Settle,
            Unavailable = Unavailable ?? under.Unavailable,
        };
    }

    private static MaintenanceWindow? Window(ValueReader file) =>
        file.Text("start") is { } start && file.Span("length") is { } length
            ? new MaintenanceWindow(
                file.Texts("days") is { } days ? days.Aggregate(WeekDays.None, (all, word) => all | Day(word)) : WeekDays.All,
                TimeOnly.ParseExact(start, "HH:mm", CultureInfo.InvariantCulture),
                length,
                file.Text("timezone") ?? "UTC")
            : null;

    private static WeekDays Day(string word) => word switch
    {
        "mon" => WeekDays.Monday,
        "tue" => WeekDays.Tuesday,
        "wed" => WeekDays.Wednesday,
        "thu" => WeekDays.Thursday,
        "fri" => WeekDays.Friday,
        "sat" => WeekDays.Saturday,
        _ => WeekDays.Sunday,
    };
}
