// The gates as the daemon shows them on the bus.
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Client;

/// <param name="Value">Null where a gate has no figure, or none yet.</param>
internal sealed record GateFacts(string Name, bool Open, bool Available, double? Value, double? CloseAt, double? OpenBelow)
{
    /// <summary>Of the figure and its marks; null where there is none.</summary>
    public string? Unit { get; init; }

    public DateTimeOffset? Since { get; init; }

    public DateTimeOffset? OpensAt { get; init; }

    public string? Detail { get; init; }

    public string? Reason { get; init; }

    /// <summary>Place in the order in which the gates are asked; those of a newer daemon come last.</summary>
    public int Rank => Array.FindIndex(Enum.GetValues<Gate>(), g => g.Word() == Name) is >= 0 and var at ? at : int.MaxValue;

    public static GateFacts From(Dictionary<string, object> values) => new(
        values.Text("Name") ?? "",
        values.Flag("Open"),
        values.Flag("Available"),
        Figure(values, "Value"),
        Figure(values, "CloseAt"),
        Figure(values, "OpenBelow"))
    {
        Unit = values.Text("Unit"),
        Since = values.Moment("SinceUsec"),
        OpensAt = values.Moment("OpensAtUsec"),
        Detail = values.Text("Detail"),
        Reason = values.Text("Reason"),
    };

    private static double? Figure(Dictionary<string, object> values, string name) =>
        values.GetValueOrDefault(name) is double and >= 0 and var figure ? figure : null;
}

/// <summary>An operator's.</summary>
internal sealed record StandingHold(string Why, DateTimeOffset Since, DateTimeOffset? Until);

internal sealed record InhibitorFacts(string Who, string Why, uint Uid, DateTimeOffset? Since);

/// <summary>What all gates together say, and the people and programs behind two of them.</summary>
internal sealed record GateBoardFacts(bool Open, string? Reason, DateTimeOffset? RetryAt, StandingHold? Hold, IReadOnlyList<InhibitorFacts> Inhibitors)
{
    public static GateBoardFacts From(Dictionary<string, object> values) => new(
        values.Flag("GateOpen"),
        values.Text("GateReason"),
        values.Moment("GateRetryAtUsec"),
        values.Moment("HoldSinceUsec") is { } since ? new StandingHold(values.Text("HoldWhy") ?? "", since, values.Moment("HoldUntilUsec")) : null,
        [
            .. values.Structs("Inhibitors")
                .Where(static s => s is [string, string, uint, ulong])
                .Select(static s => new InhibitorFacts((string)s[0], (string)s[1], (uint)s[2], Properties.Moment((ulong)s[3]))),
        ]);
}
