// A thread that makes slow calls, one at a time, so that the loop never blocks on them: one for the kernel, one for files.
using System.Collections.Concurrent;
using LivePatchd.Core.Planning;
using LivePatchd.Linux.Tasks;

namespace LivePatchd.Loop;

/// <summary>Start and Collect are called by the loop only; the worker wakes the loop when a result is there.</summary>
internal sealed class Worker : IDisposable
{
    private readonly BlockingCollection<(PlanStep? Step, Func<WorkResult> Work)> queue = new(boundedCapacity: 1);
    private readonly ConcurrentQueue<WorkResult> results = new();
    private readonly string name;
    private readonly Action wake;
    private volatile OwnThread? thread;

    public Worker(string name, Action wake)
    {
        (this.name, this.wake) = (name, wake);
        StartThread();
    }

    public bool IsBusy { get; private set; }

    /// <summary>The plan's step under way; null when there is none.</summary>
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
        // Asked before the queue: what a thread that is dead by now had to say is there.
        var isLost = IsBusy && thread is { IsAlive: false };
        if (!results.TryDequeue(out var result))
        {
            if (!isLost)
                return null;
            result = new WorkResult.Lost(Step);
            StartThread();
        }
        IsBusy = false;
        Step = null;
        return result;
    }

    /// <summary>
    /// Takes no further work. A call that is inside the kernel is not interrupted: the process exits when it returns, and the
    /// journal's intent tells the next start about it.
    /// </summary>
    public void Dispose() => queue.CompleteAdding();

    private void StartThread()
    {
        thread = null;
        new Thread(Run) { IsBackground = true, Name = name }.Start();
    }

    private void Run()
    {
        thread = OwnThread.Current();
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
