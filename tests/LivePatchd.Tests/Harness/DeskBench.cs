// The gates' desk with what it needs: readings that a test sets.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests;

internal sealed class DeskBench : IDisposable
{
    public DeskBench(Bench bench)
    {
        Holds = new HoldBook(new StateFile(bench.Root, HoldBook.Path), bench.Log);
        Inhibitors = new InhibitorTable(bench.Log);
        Gates = new GateDesk(Read, Holds, Inhibitors, new TriggerWatch(bench.Root, bench.Log), bench.Log);
        Gates.Open(Bench.Boot, Given.Now);
    }

    public HoldBook Holds { get; }

    public InhibitorTable Inhibitors { get; }

    public GateDesk Gates { get; }

    /// <summary>Of the one CPU.</summary>
    public double Load { get; set; } = 0.1;

    /// <summary>Time since boot in which all tasks waited for I/O.</summary>
    public TimeSpan IoFull { get; set; }

    /// <summary>No figure can be read at all.</summary>
    public bool Unreadable { get; set; }

    public int Readings { get; private set; }

    public void Dispose() => Gates.Dispose();

    private PressureSample Read(Instant now)
    {
        Readings++;
        return Unreadable ? new PressureSample(now, null, null, null, null, 1, null, null, null, null) : Given.Sample(now, IoFull, Load);
    }
}
