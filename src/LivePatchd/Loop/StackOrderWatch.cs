// Where each patch stands among the others, read on a thread of its own: the kernel tells it only under the lock of a whole load.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Kernel;
using LivePatchd.Log;
using LivePatchd.Systemd;

namespace LivePatchd.Loop;

/// <summary>For the loop's thread. While the kernel does not answer, no order is known, and nothing else waits for it.</summary>
/// <param name="ring">Makes the loop look; from the thread.</param>
/// <param name="start">Null but in tests, as for <see cref="SpareThread"/>.</param>
internal sealed class StackOrderWatch(IKernel kernel, Action ring, DaemonLog log, Action<Thread>? start = null) : IDisposable
{
    private readonly SideThread<Answer> reader = new("stack order", ring, log, start);
    private Answer latest = new([], ImmutableDictionary<PatchName, int>.Empty);

    /// <summary>The same with the orders, where they are known for just these patches. Asks for them once for each change of what is loaded.</summary>
    public ObservedState Complete(ObservedState seen)
    {
        if (reader.Collect() is { } answer)
            latest = answer;
        ImmutableArray<Entry> loaded = [.. seen.Patches.Where(static p => p.Directory).Select(static p => new Entry(p.Name, p.BuildId, p.Enabled))];
        if (loaded.SequenceEqual(latest.Of))
            return loaded.IsEmpty ? seen : seen with { Patches = [.. seen.Patches.Select(p => latest.Orders.TryGetValue(p.Name, out var order) ? p with { StackOrder = order } : p)] };
        if (!reader.IsBusy && !loaded.IsEmpty && kernel.TellsStackOrder(loaded[0].Name))
            reader.Ask(() => new Answer(loaded, kernel.StackOrders([.. loaded.Select(static e => e.Name)])));
        return seen;
    }

    public void Dispose() => reader.Dispose();

    /// <summary>What a change of the order changes too.</summary>
    private sealed record Entry(PatchName Name, BuildId? BuildId, bool Enabled);

    private sealed record Answer(ImmutableArray<Entry> Of, IReadOnlyDictionary<PatchName, int> Orders);
}
