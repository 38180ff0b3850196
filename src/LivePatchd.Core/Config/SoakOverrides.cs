// The `soak` section of one file, only what it sets: read from the configuration and from a manifest alike.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

/// <summary>Null means not set.</summary>
public sealed record SoakOverrides
{
    public TimeSpan? Duration { get; init; }

    public TimeSpan? Quarantine { get; init; }

    public SoakConfirm? Confirm { get; init; }

    public bool? Warnings { get; init; }

    public bool? Oops { get; init; }

    public bool? Units { get; init; }

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
        Warnings = Switch(file, "soak.checks.warnings"),
        Oops = Switch(file, "soak.checks.oops"),
        Units = Switch(file, "soak.checks.units"),
        Commands = file.Texts("soak.checks.commands"),
    };

    internal SoakSettings Over(SoakSettings weaker) => new(
        Duration ?? weaker.Duration,
        Confirm ?? weaker.Confirm,
        new SoakChecks(
            Warnings ?? weaker.Checks.Warnings,
            Oops ?? weaker.Checks.Oops,
            Units ?? weaker.Checks.Units,
            Commands ?? weaker.Checks.Commands))
    {
        Quarantine = Quarantine ?? weaker.Quarantine,
    };

    private static bool? Switch(ValueReader file, string key) => file.Text(key) is { } word ? word == "true" : null;
}
