// One job of the fake manager.
using LivePatchd.Bus;
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Tests;

internal sealed class FakeJob
{
    public static readonly BusInterface Interface = new(
        BusNames.Job,
        [new("Cancel", "", [], "", [], static call => call.Reply())],
        [
            new("Id", "u", static (w, j) => w.WriteUInt32(((FakeJob)j!).Id)),
            new("Kind", "s", static (w, j) => w.WriteString(((FakeJob)j!).Kind)),
            new("Patch", "s", static (w, j) => w.WriteString(((FakeJob)j!).Patch)),
            new("State", "s", static (w, j) => w.WriteString(((FakeJob)j!).State)),
            new("Result", "s", static (w, j) =>
            {
                Interlocked.Increment(ref ((FakeJob)j!)._reads);
                w.WriteString(((FakeJob)j).Result);
            }),
        ],
        []);

    private int _reads;

    /// <summary>How often its result was asked for.</summary>
    public int Reads => Volatile.Read(ref _reads);

    public required uint Id { get; init; }

    public required string Kind { get; init; }

    public required string Patch { get; init; }

    public string State { get; set; } = "waiting";

    public string Result { get; set; } = "";

    public string Path => $"{BusNames.JobPrefix}/{Id}";
}
