// A thread that answers one question at a time and sleeps otherwise: what others may take long over is never waited for by the loop.
using LivePatchd.Linux.Tasks;
using LivePatchd.Log;

namespace LivePatchd.Systemd;

/// <summary>Ask and Collect are the loop's. The thread is made for the first question, which waits where none can be had.</summary>
/// <param name="ring">Makes the loop look; from the thread.</param>
/// <param name="start">Null but in tests, as for <see cref="SpareThread"/>.</param>
internal sealed class SideThread<TAnswer>(string name, Action ring, DaemonLog log, Action<Thread>? start = null) : IDisposable
    where TAnswer : class
{
    private readonly Lock gate = new();
    private readonly AutoResetEvent edge = new(initialState: false);
    private Func<TAnswer>? question;
    private TAnswer? answer;
    private volatile bool stopping;
    private bool busy;
    private SpareThread? thread;
    private volatile OwnThread? own;

    /// <summary>A question has not been answered yet, or its answer not been collected.</summary>
    public bool IsBusy
    {
        get
        {
            lock (gate)
                return busy;
        }
    }

    public void Ask(Func<TAnswer> work)
    {
        lock (gate)
        {
            if (busy)
                throw new InvalidOperationException("one question at a time");
            (busy, question) = (true, work);
        }
        thread ??= new SpareThread(name, Run, log, start);
        thread.Start();
        edge.Set();
    }

    public TAnswer? Collect()
    {
        // Called at every look: the next need of a thread that could not be had.
        thread?.Start();
        Supervise();
        lock (gate)
        {
            if (answer is not { } taken)
                return null;
            (answer, busy) = (null, false);
            return taken;
        }
    }

    public void Dispose()
    {
        stopping = true;
        edge.Set();
        // Every question has a time limit; the process does not wait long for it.
        if (thread?.Join(TimeSpan.FromSeconds(2)) is not false)
            edge.Dispose();
    }

    /// <summary>The kernel ends a thread that oopses inside a system call: its question is not answered, and may be asked again of another.</summary>
    private void Supervise()
    {
        if (own is not { IsAlive: false })
            return;
        lock (gate)
        {
            if (answer is not null)
                return;
            (busy, question) = (false, null);
        }
        (own, thread) = (null, null);
        log.Problem(EventKind.StepFailed, $"The thread for {name} is gone; another takes its place");
    }

    private void Run()
    {
        own = OwnThread.Current();
        while (true)
        {
            edge.WaitOne();
            if (stopping)
                return;
            Func<TAnswer>? work;
            lock (gate)
                (work, question) = (question, null);
            if (work is null)
                continue;
            try
            {
                var made = work();
                lock (gate)
                    answer = made;
            }
            catch (Exception e)
            {
                // A bug. The question stays open: it is not asked again, and nothing is concluded from it.
                log.Bug(name, e);
                own = null;
                return;
            }
            if (stopping)
                return;
            ring();
        }
    }
}
