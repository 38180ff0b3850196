// Has the host finished booting? A thread that asks systemd, waits for its word, and ends with it.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Linux;
using LivePatchd.Log;
using LivePatchd.Loop;

namespace LivePatchd.Systemd;

/// <summary>Where nobody can tell, a boot counts as complete after <see cref="WithoutWord"/>.</summary>
/// <param name="ring">Makes the loop look; from the thread.</param>
/// <param name="start">Null but in tests, as for <see cref="SpareThread"/>.</param>
internal sealed class BootWatch(
    SystemRoot root, BusAddress address, MonotonicClock clock, Action ring, DaemonLog log, Action<Thread>? start = null) : IDisposable
{
    public static readonly TimeSpan WithoutWord = TimeSpan.FromMinutes(10);

    /// <summary>The first answer comes at once or, with a bus that is not up yet, later: a first plan does not wait longer for it.</summary>
    public static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);

    private readonly BusWake wake = new();
    private readonly ManualResetEventSlim ended = new();
    private volatile bool known;
    private volatile bool complete;
    private volatile bool silent;
    private SpareThread? thread;

    /// <summary>The first question has been answered, if only by nobody's being there.</summary>
    public bool IsKnown => known;

    public void Start()
    {
        thread ??= new SpareThread("boot", Run, log, start);
        // While nobody can ask, nobody can tell.
        if (!thread.Start())
            Tell(finished: false, mute: true);
    }

    /// <param name="now">Monotonic: time since boot.</param>
    public bool IsComplete(Instant now) => complete || (silent && now.Monotonic >= WithoutWord);

    /// <summary>On the loop's thread, at every look: when time alone changes the answer; null when it does not.</summary>
    public Instant? Due(Instant now)
    {
        if (complete || !silent || now.Monotonic >= WithoutWord)
            return null;
        thread?.Start();
        return now.After(WithoutWord - now.Monotonic);
    }

    public void Dispose()
    {
        ended.Set();
        wake.Set();
        // Every call has a time limit; the process does not wait long for it.
        if (thread?.Join(TimeSpan.FromSeconds(2)) is not false)
        {
            wake.Dispose();
            ended.Dispose();
        }
    }

    private void Run()
    {
        try
        {
            while (!IsComplete(clock.Now()) && !ended.IsSet)
            {
                if (!WaitForWord() && !IsComplete(clock.Now()))
                    ended.Wait(AfterFailure);
            }
        }
        catch (Exception e)
        {
            // A bug: the clock decides from here on.
            Tell(finished: false, mute: true);
            log.Bug("the wait for the boot's end", e);
        }
    }

    /// <summary>Until the boot is complete, or the connection is lost: then false.</summary>
    private bool WaitForWord()
    {
        var opened = SystemdClient.Connect(address);
        if (!opened.IsOk)
        {
            var word = AtTheDoor();
            Tell(finished: word ?? false, mute: word is null);
            return complete;
        }
        using var systemd = opened.Value;
        // Before the question, so that the boot's end cannot pass between the two.
        var subscribed = systemd.Subscribe("StartupFinished", static (_, _, _) => { });
        while (!ended.IsSet)
        {
            var booted = systemd.HasBooted();
            bool? word = booted.IsOk ? booted.Value : AtTheDoor();
            Tell(finished: word ?? false, mute: word is null);
            if (complete || !booted.IsOk)
                return complete;
            // Where no signals come, it is asked again more often.
            if (!systemd.Bus.WaitForSignals(subscribed.IsOk ? AskAgain : AfterFailure, wake).IsOk)
                return false;
        }
        return true;
    }

    /// <summary>systemd's own door is there without a bus, and before it; null when nobody answers. It sends no word by itself.</summary>
    private bool? AtTheDoor()
    {
        var opened = SystemdClient.Connect(BusAddress.Peer($"unix:path={root.Path(ShutdownQuestion.PrivateSocket)}"));
        if (!opened.IsOk)
            return null;
        using var systemd = opened.Value;
        return systemd.HasBooted() is { IsOk: true, Value: var booted } ? booted : null;
    }

    private void Tell(bool finished, bool mute)
    {
        var news = !known || finished || silent != mute;
        (complete, silent, known) = (finished, mute, true);
        if (news && !ended.IsSet)
            ring();
    }
}
