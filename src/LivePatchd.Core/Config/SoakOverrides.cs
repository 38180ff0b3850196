// The `soak` section of one file, only what it sets: read from the configuration and from a manifest alike.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

/// <summary>Null means not set.</summary>
public sealed record SoakOverrides
{
    public TimeSpan? Duration { get; init; }

    public TimeSpan? Quarantine { get; init; }

    public SoakConfirm? Confirm { get; init; }

    public CheckWeight? Warnings { get; init; }

    public CheckWeight? Oops { get; init; }

    public CheckWeight? Units { get; init; }

    public CheckWeight? Pressure { get; init; }

    public ImmutableArray<string>? Coincidental { get; init; }

    public TimeSpan? UnitUptime { get; init; }

    public ImmutableArray<string>? Commands { get; init; }

    internal static SoakOverrides Read(ValueReader file) => new()
    {
        Duration = file.Span("soak.duration"),
        Quarantine = file.Span("soak.quarantine"),
        Confirm = file.Text("soak.confirm") switch
        {
            "manual" => SoakConfirm.Manual,
            "automatic" => SoakConfirm.Automatic,
            _ => null,
        },
        Warnings = Weight(file, "soak.checks.warnings"),
        Oops = Weight(file, "soak.checks.oops"),
        Units = Weight(file, "soak.checks.units"),
        Pressure = Weight(file, "soak.checks.pressure"),
        Coincidental = file.Texts("soak.checks.coincidental-units"),
        UnitUptime = file.Span("soak.checks.unit-uptime"),
        Commands = file.Texts("soak.checks.commands"),
    };

    internal SoakSettings Over(SoakSettings weaker) => new(
        Duration ?? weaker.Duration,
        Confirm ?? weaker.Confirm,
        new SoakChecks(
            Warnings ?? weaker.Checks.Warnings,
            Oops ?? weaker.Checks.Oops,
            Units ?? weaker.Checks.Units,
            Commands ?? weaker.Checks.Commands)
        {
            Pressure = Pressure ?? weaker.Checks.Pressure,
            Coincidental = Coincidental ?? weaker.Checks.Coincidental,
            UnitUptime = UnitUptime ?? weaker.Checks.UnitUptime,
        })
    {
        Quarantine = Quarantine ?? weaker.Quarantine,
    };

    /// <summary>`true` and `false` are what the keys were before they had words.</summary>
    private static CheckWeight? Weight(ValueReader file, string key) => file.Text(key) switch
    {
        "false" => CheckWeight.Off,
        "report" => CheckWeight.Report,
        "suspect" or "true" => CheckWeight.Suspect,
        "attributed" => CheckWeight.Attributed,
        _ => null,
    };
}
