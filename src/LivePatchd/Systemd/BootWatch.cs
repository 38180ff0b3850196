// Has the host finished booting? A thread that asks systemd, waits for its word, and ends with it.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Linux;
using LivePatchd.Log;
using LivePatchd.Loop;

namespace LivePatchd.Systemd;

/// <summary>Where nobody can tell, and where the boot does not end, it is waited for no longer than boot.wait.</summary>
/// <param name="ring">Makes the loop look; from the thread.</param>
/// <param name="start">Null but in tests, as for <see cref="SpareThread"/>.</param>
internal sealed class BootWatch(
    SystemRoot root, BusAddress address, MonotonicClock clock, Action ring, DaemonLog log, Action<Thread>? start = null) : IDisposable
{
    /// <summary>So long a systemd that does not answer is asked again.</summary>
    private static readonly TimeSpan WithoutWord = TimeSpan.FromMinutes(10);

    /// <summary>The first answer comes at once or, with a bus that is not up yet, later: a first plan does not wait longer for it.</summary>
    public static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);

    private readonly BusWake wake = new();
    private readonly ManualResetEventSlim ended = new();
    private volatile bool known;
    private volatile bool complete;
    private volatile bool silent;
    private volatile string? holder;
    private long userspaceTicks;
    private bool told;
    private string? shown;
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

    /// <summary>The oldest job that the boot waits for; null when it is not known.</summary>
    public string? Holder => complete ? null : holder;

    /// <summary>When a boot that has not ended is not waited for any longer.</summary>
    public Instant Ends(Instant now, TimeSpan wait) => now.After(TimeSpan.FromTicks(Interlocked.Read(ref userspaceTicks)) + wait - now.Monotonic);

    /// <param name="now">Monotonic: time since boot.</param>
    public bool IsComplete(Instant now, TimeSpan wait) => complete || !now.IsBefore(Ends(now, wait));

    /// <summary>On the loop's thread: systemd says that the boot goes on, and it is not waited for. Logged once.</summary>
    public bool IsStuck(Instant now, TimeSpan wait)
    {
        var stuck = !complete && !silent && known && IsComplete(now, wait);
        if (stuck && !told)
        {
            told = true;
            log.Problem(EventKind.Refused, $"The boot has not ended {wait.TotalMinutes:0.#} min after userspace began, it waits for {holder ?? "a job that systemd does not name"}; patches are loaded without waiting for it", Reason.BootStuck);
        }
        return stuck;
    }

    /// <summary>On the loop's thread, at every look: when time alone changes the answer; null when it does not.</summary>
    public Instant? Due(Instant now, TimeSpan wait)
    {
        if (IsComplete(now, wait))
            return null;
        if (silent)
            thread?.Start();
        return Ends(now, wait);
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

    /// <summary>Nothing more is learned by asking.</summary>
    private bool IsOver => complete || (silent && clock.Now().Monotonic >= WithoutWord);

    private void Run()
    {
        try
        {
            while (!IsOver && !ended.IsSet)
            {
                if (!WaitForWord() && !IsOver)
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
            if (booted is { IsOk: true, Value: false })
                Ask(systemd);
            Tell(finished: word ?? false, mute: word is null);
            if (complete || !booted.IsOk)
                return complete;
            // Where no signals come, it is asked again more often.
            if (!systemd.Bus.WaitForSignals(subscribed.IsOk ? AskAgain : AfterFailure, wake).IsOk)
                return false;
        }
        return true;
    }

    /// <summary>Since when the boot lasts, and what it waits for.</summary>
    private void Ask(SystemdClient systemd)
    {
        if (systemd.UserspaceBegan() is { IsOk: true, Value: var began })
            Interlocked.Exchange(ref userspaceTicks, began.Ticks);
        if (systemd.OldestJob() is { IsOk: true, Value: var job })
            holder = job;
    }

    /// <summary>systemd's own door is there without a bus, and before it; null when nobody answers. It sends no word by itself.</summary>
    private bool? AtTheDoor()
    {
        var opened = SystemdClient.Connect(BusAddress.Peer($"unix:path={root.Path(ShutdownQuestion.PrivateSocket)}"));
        if (!opened.IsOk)
            return null;
        using var systemd = opened.Value;
        if (systemd.HasBooted() is not { IsOk: true, Value: var booted })
            return null;
        if (!booted)
            Ask(systemd);
        return booted;
    }

    private void Tell(bool finished, bool mute)
    {
        var news = !known || finished || silent != mute || shown != holder;
        shown = holder;
        (complete, silent, known) = (finished, mute, true);
        if (news && !ended.IsSet)
            ring();
    }
}
