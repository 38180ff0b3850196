// The gates as every surface shows them.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Gates;

namespace LivePatchd.Publish;

/// <param name="Reason">Null when open.</param>
internal sealed record GateView(
    Gate Gate,
    bool Open,
    bool Available,
    double? Value,
    double? CloseAt,
    double? OpenBelow,
    GateUnit? Unit,
    DateTimeOffset Since,
    DateTimeOffset? OpensAt,
    string Detail,
    Reason? Reason);

internal sealed record InhibitorView(string Who, string Why, uint Uid, DateTimeOffset Since);

/// <param name="Reason">Null when a change may be made now.</param>
/// <param name="Hold">The operator's; null when there is none.</param>
internal sealed record GatesView(
    Reason? Reason,
    string Detail,
    DateTimeOffset? RetryAt,
    ImmutableArray<GateView> Gates,
    StandingHold? Hold,
    ImmutableArray<InhibitorView> Inhibitors)
{
    public static GatesView Of(GateBoard board, StandingHold? hold, ImmutableArray<InhibitorView> inhibitors) => new(
        board.Reason,
        board.Detail,
        board.RetryAt?.Wall,
        [
            .. board.Gates.Select(g => new GateView(
                g.Gate, g.Open, g.Available, g.Value, g.CloseAt, g.OpenBelow, g.Unit, g.Since.Wall, g.OpensAt?.Wall, g.Detail,
                g.Open ? null : GateReasons.Of(g))),
        ],
        hold,
        inhibitors);
}
