// One gate as the fake manager shows it.
using LivePatchd.Bus;
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Tests;

internal sealed class FakeGate
{
    public static readonly BusInterface Interface = new(
        BusNames.Gate,
        [],
        [
            Text("Name", static g => g.Name),
            new("Open", "b", static (w, g) => w.WriteBool(((FakeGate)g!).Open)),
            new("Available", "b", static (w, g) => w.WriteBool(((FakeGate)g!).Available)),
            Figure("Value", static g => g.Value),
            Figure("CloseAt", static g => g.CloseAt),
            Figure("OpenBelow", static g => g.OpenBelow),
            Text("Unit", static g => g.Unit),
            new("SinceUsec", "t", static (w, g) => w.WriteUInt64(FakePatch.Microseconds(((FakeGate)g!).Since))),
            new("OpensAtUsec", "t", static (w, g) => w.WriteUInt64(FakePatch.Microseconds(((FakeGate)g!).OpensAt))),
            Text("Detail", static g => g.Detail),
            Text("Reason", static g => g.Reason),
        ],
        []);

    public required string Name { get; init; }

    public bool Open { get; set; } = true;

    public bool Available { get; init; } = true;

    public double Value { get; set; } = -1;

    public double CloseAt { get; init; } = -1;

    public double OpenBelow { get; init; } = -1;

    public string Unit { get; init; } = "";

    public DateTimeOffset? Since { get; init; } = TimeProvider.System.GetUtcNow() - TimeSpan.FromHours(3.5);

    public DateTimeOffset? OpensAt { get; init; }

    public string Detail { get; init; } = "";

    public string Reason { get; set; } = "";

    public string Path => BusPath.Encode(BusNames.GatePrefix, Name);

    private static BusProperty Text(string name, Func<FakeGate, string> get) => new(name, "s", (w, g) => w.WriteString(get((FakeGate)g!)));

    private static BusProperty Figure(string name, Func<FakeGate, double> get) =>
        new(name, "d", (w, g) => w.WriteDouble(get((FakeGate)g!)), BusPropertyChange.NotAnnounced);
}
