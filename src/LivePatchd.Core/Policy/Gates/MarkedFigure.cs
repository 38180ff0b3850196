// A figure between its marks: of several in one gate the nearest to its mark is the one to show.
namespace LivePatchd.Core.Policy.Gates;

internal readonly record struct MarkedFigure(double Value, double CloseAt, double OpenBelow)
{
    /// <summary>Its mark is never exceeded.</summary>
    public bool Off { get; init; }

    /// <summary>How near the mark; what is switched off is never the worst.</summary>
    public double Excess => Off ? -1 : CloseAt > 0 ? Value / CloseAt : Value > 0 ? double.PositiveInfinity : 0;

    public bool Open(bool wasOpen) => Off || Hysteresis.Open(wasOpen, Value, CloseAt, OpenBelow);
}
