// Gives memory back some seconds after the last activity: what a burst of work leaves behind would stay resident until the next one.
using LivePatchd.Core.Model;

namespace LivePatchd.Loop;

internal sealed class MemoryRest
{
    private static readonly TimeSpan After = TimeSpan.FromSeconds(5);

    /// <summary>When there is something to give back; null while there is not.</summary>
    public Instant? Due { get; private set; }

    public void Worked(Instant now) => Due = now.After(After);

    /// <summary>On the loop's thread, when nothing waits: everything stops for it, for milliseconds.</summary>
    public void Take(Instant now)
    {
        if (Due is not { } due || now.IsBefore(due))
            return;
        Due = null;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }
}
