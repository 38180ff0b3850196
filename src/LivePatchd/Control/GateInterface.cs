// org.livepatchd1.Gate: one object a gate, from the first reading on.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Publish;

namespace LivePatchd.Control;

/// <summary>Figures change with every reading: they are there to be read, and only what opens or closes is announced.</summary>
internal static class GateInterface
{
    public static IReadOnlyList<ServedProperty<GateView>> Properties { get; } =
    [
        ServedProperty<GateView>.Text("Name", v => v.Gate.Word(), constant: true),
        ServedProperty<GateView>.Bool("Open", v => v.Open),
        ServedProperty<GateView>.Bool("Available", v => v.Available),
        Figure("Value", v => v.Value),
        Figure("CloseAt", v => v.CloseAt),
        Figure("OpenBelow", v => v.OpenBelow),
        ServedProperty<GateView>.Text("Unit", v => v.Unit?.Word() ?? "") with { Announced = false },
        ServedProperty<GateView>.UInt64("SinceUsec", v => Wire.Usec(v.Since)),
        ServedProperty<GateView>.UInt64("OpensAtUsec", v => Wire.Usec(v.OpensAt)) with { Same = (a, b) => SameSecond(a.OpensAt, b.OpensAt) },
        ServedProperty<GateView>.Text("Detail", v => v.Detail) with { Announced = false },
        ServedProperty<GateView>.Text("Reason", v => v.Reason?.Word() ?? ""),
    ];

    public static BusInterface Interface { get; } = new(BusNames.Gate, [], [.. Properties.Select(p => p.Declare())], []);

    public static string PathOf(Gate gate) => BusPath.Encode(BusNames.GatePrefix, gate.Word());

    /// <summary>-1 for a gate that has no such figure, and before its second reading.</summary>
    private static ServedProperty<GateView> Figure(string name, Func<GateView, double?> get) =>
        new(name, "d", (w, v) => w.WriteDouble(get(v) ?? -1), (a, b) => get(a) == get(b)) { Announced = false };

    /// <summary>A moment that is reckoned anew from two clocks at each reading differs by microseconds, which is no change.</summary>
    private static bool SameSecond(DateTimeOffset? a, DateTimeOffset? b) =>
        a is { } x && b is { } y ? (x - y).Duration() < TimeSpan.FromSeconds(1) : a is null && b is null;
}
