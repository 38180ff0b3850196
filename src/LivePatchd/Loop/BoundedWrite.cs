// A write that is waited for only so long: on a thread of its own, so that a disk that does not answer holds nobody up.
using LivePatchd.Core.Model;
using LivePatchd.Log;
using LivePatchd.Systemd;

namespace LivePatchd.Loop;

/// <summary>
/// For one thread, the loop's. While a write is under way what it writes to is the other thread's alone. The thread is made for the first
/// write; where none can be had, the caller does the work itself.
/// </summary>
internal sealed class BoundedWrite(string name, DaemonLog log) : IDisposable
{
    private readonly AutoResetEvent begin = new(initialState: false);
    private readonly ManualResetEventSlim done = new(initialState: true);
    private Func<SysResult> work = static () => SysResult.Success;
    private SysResult result;
    private volatile bool stopping;
    private bool late;
    private SpareThread? thread;

    /// <summary>What was not done in time goes on.</summary>
    public bool IsBusy => !done.IsSet;

    /// <summary>Null when it is not done in time; then <see cref="Collect"/> has its result one day.</summary>
    public SysResult? Run(Func<SysResult> write, TimeSpan limit)
    {
        if (IsBusy)
            throw new InvalidOperationException("one write at a time");
        thread ??= new SpareThread(name, Loop, log);
        if (!thread.Start())
            return write();
        work = write;
        done.Reset();
        begin.Set();
        late = !done.Wait(limit);
        return late ? null : result;
    }

    /// <summary>The result of a write that was late, once; null when there is none, or not yet.</summary>
    public SysResult? Collect()
    {
        if (!late || IsBusy)
            return null;
        late = false;
        return result;
    }

    public void Dispose()
    {
        stopping = true;
        begin.Set();
        // A disk that hangs may do so for ever.
        if (thread?.Join(TimeSpan.FromSeconds(2)) is false)
            return;
        begin.Dispose();
        done.Dispose();
    }

    private void Loop()
    {
        while (true)
        {
            begin.WaitOne();
            if (!done.IsSet)
            {
                result = Do();
                done.Set();
            }
            if (stopping)
                return;
        }
    }

    private SysResult Do()
    {
        try
        {
            return work();
        }
        catch (Exception e)
        {
            // A bug; nothing is known to be written.
            log.Bug(name, e);
            return SysResult.Fail(Errno.EIO, "write");
        }
    }
}
