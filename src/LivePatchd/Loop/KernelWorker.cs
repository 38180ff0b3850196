// The one thread that makes slow calls (finit_module, sysfs writes, scans), one at a time, so that the loop never blocks on them.
using System.Collections.Concurrent;
using LivePatchd.Core.Planning;

namespace LivePatchd.Loop;

/// <summary>Start and Collect are called by the loop only; the worker wakes the loop when a result is there.</summary>
internal sealed class KernelWorker : IDisposable
{
    private readonly BlockingCollection<(PlanStep? Step, Func<WorkResult> Work)> queue = new(boundedCapacity: 1);
    private readonly ConcurrentQueue<WorkResult> results = new();
    private readonly Action wake;

    public KernelWorker(Action wake)
    {
        this.wake = wake;
        new Thread(Run) { IsBackground = true, Name = "kernel" }.Start();
    }

    public bool IsBusy { get; private set; }

    /// <summary>The plan's step under way; null when idle or busy with files.</summary>
    public PlanStep? Step { get; private set; }

    public void Start(PlanStep? step, Func<WorkResult> work)
    {
        if (IsBusy)
            throw new InvalidOperationException("one operation at a time");
        IsBusy = true;
        Step = step;
        queue.Add((step, work));
    }

    public WorkResult? Collect()
    {
        if (!results.TryDequeue(out var result))
            return null;
        IsBusy = false;
        Step = null;
        return result;
    }

    /// <summary>
    /// Takes no further work. A call that is inside the kernel is not interrupted: the process exits when it returns, and the
    /// journal's intent tells the next start about it.
    /// </summary>
    public void Dispose() => queue.CompleteAdding();

    private void Run()
    {
        foreach (var (step, work) in queue.GetConsumingEnumerable())
        {
            WorkResult result;
            try
            {
                result = work();
            }
            catch (Exception e)
            {
                result = new WorkResult.Broken(step, e);
            }
            results.Enqueue(result);
            try
            {
                wake();
            }
            catch (ObjectDisposedException)
            {
                // The loop ended while this call was inside the kernel.
                return;
            }
        }
    }
}
