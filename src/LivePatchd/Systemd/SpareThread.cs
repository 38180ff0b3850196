// A thread that the daemon can do without for a while: a host whose tasks are used up (pid_max, TasksMax=) refuses it, and it is tried again.
using LivePatchd.Core.Model;
using LivePatchd.Log;

namespace LivePatchd.Systemd;

/// <summary>Thread-safe.</summary>
/// <param name="start">Null but in tests, which refuse what a host seldom does.</param>
internal sealed class SpareThread(string name, Action run, DaemonLog log, Action<Thread>? start = null)
{
    private readonly Lock gate = new();
    private volatile Thread? thread;
    private bool told;

    /// <summary>At every need of it. False when it cannot be had now; it is started once.</summary>
    public bool Start()
    {
        if (thread is not null)
            return true;
        lock (gate)
            return thread is not null || Try();
    }

    /// <summary>True also where it was never started.</summary>
    public bool Join(TimeSpan limit) => thread?.Join(limit) ?? true;

    private bool Try()
    {
        var made = new Thread(() => run()) { IsBackground = true, Name = name };
        try
        {
            (start ?? (static t => t.Start()))(made);
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            // What the runtime makes of EAGAIN. Kept is only what was started: nothing else can be joined.
            if (!told)
                log.Problem(EventKind.StepFailed, $"The thread for {name} cannot be started; it is tried again when it is needed", errno: Errno.EAGAIN);
            told = true;
            return false;
        }
        (thread, told) = (made, false);
        return true;
    }
}
