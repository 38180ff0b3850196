// Hears from systemd that a unit has failed: a thread that is there only while somebody wants to know.
using LivePatchd.Bus;
using LivePatchd.Log;

namespace LivePatchd.Systemd;

/// <summary>
/// On the loop's thread. A word of a failure is no more than a hint to list the failed units. It is one flag, however many fail. A
/// connection that could not be had, or is lost, is not sought again before <see cref="Renew"/>.
/// </summary>
/// <param name="ring">Makes the loop look; from the thread.</param>
/// <param name="start">Null but in tests, as for <see cref="SpareThread"/>.</param>
internal sealed class UnitWatch(BusAddress address, Action ring, DaemonLog log, Action<Thread>? start = null) : IDisposable
{
    private const string Unit = "org.freedesktop.systemd1.Unit";

    private Session? session;
    private bool resting;
    private bool told;

    /// <summary>A unit may have failed since <see cref="TakeNews"/>.</summary>
    public bool HasNews => session is { News: true };

    public void TakeNews()
    {
        if (session is { } open)
            open.News = false;
    }

    /// <summary>At every look.</summary>
    public void Follow(bool wanted)
    {
        if (session is { IsOver: true } over)
        {
            session = null;
            resting = !over.IsCancelled;
            Tell(over);
        }
        if (!wanted)
        {
            session?.Cancel();
            resting = false;
        }
        else if (session is null && !resting)
        {
            Begin();
        }
    }

    /// <summary>A lost connection may be sought again.</summary>
    public void Renew() => resting = false;

    public void Dispose() => session?.Dispose();

    private void Begin()
    {
        try
        {
            session = new Session(address, ring, log, start);
        }
        catch (IOException)
        {
            // No descriptor left: the rounds of checks go on, and so do the tries.
            resting = true;
            return;
        }
        if (session.Start())
            return;
        session.Dispose();
        session = null;
        resting = true;
    }

    /// <summary>Said once until it works again.</summary>
    private void Tell(Session over)
    {
        told &= !over.HasListened;
        if (over.Trouble is { } trouble && !told)
        {
            log.Note(EventKind.HealthCheck, $"Units that fail are noticed in the rounds of checks only, for systemd cannot be listened to: {trouble}");
            told = true;
        }
    }

    /// <summary>One connection with its thread. The fields are the thread's until it is over.</summary>
    private sealed class Session : IDisposable
    {
        private readonly BusAddress address;
        private readonly Action ring;
        private readonly DaemonLog log;
        private readonly SpareThread thread;
        private readonly BusWake cancel = new();
        private readonly Lock gate = new();
        private volatile bool news;
        private volatile bool over;
        private volatile bool cancelled;
        private bool gone;

        public Session(BusAddress address, Action ring, DaemonLog log, Action<Thread>? start)
        {
            (this.address, this.ring, this.log) = (address, ring, log);
            thread = new SpareThread("unit failures", Run, log, start);
        }

        public bool News
        {
            get => news;
            set => news = value;
        }

        public bool IsOver => over;

        public bool IsCancelled => cancelled;

        public bool HasListened { get; private set; }

        /// <summary>Why it ended, if not because it was told to.</summary>
        public string? Trouble { get; private set; }

        public bool Start() => thread.Start();

        public void Cancel()
        {
            cancelled = true;
            lock (gate)
            {
                if (!over)
                    cancel.Set();
            }
        }

        public void Dispose()
        {
            Cancel();
            // Every call has a time limit; the process does not wait long for it.
            if (thread.Join(TimeSpan.FromSeconds(2)))
                End();
        }

        private void Run()
        {
            try
            {
                Trouble = Listen();
            }
            catch (Exception e)
            {
                // A bug: the rounds of checks go on.
                Trouble = "see the error before";
                log.Bug("the wait for units that fail", e);
            }
            End();
            try
            {
                ring();
            }
            catch (ObjectDisposedException)
            {
                // The loop has ended meanwhile.
            }
        }

        private void End()
        {
            lock (gate)
            {
                over = true;
                cancel.Dispose();
            }
        }

        /// <summary>Null when it was told to end.</summary>
        private string? Listen()
        {
            var opened = SystemdClient.Connect(address);
            if (!opened.IsOk)
                return opened.Error.Message;
            using var systemd = opened.Value;
            var subscribed = systemd.SubscribeToUnits(Heard, () => gone = true);
            if (!subscribed.IsOk)
                return subscribed.Error.Message;
            HasListened = true;
            // What failed before there was somebody to hear it is in the list.
            Hear();
            while (!cancelled)
            {
                var waited = systemd.Bus.WaitForSignals(Timeout.InfiniteTimeSpan, cancel);
                if (!waited.IsOk)
                    return cancelled ? null : waited.Error.Message;
                if (gone)
                    return "it has left the bus";
            }
            return null;
        }

        /// <param name="reader">Of PropertiesChanged: an interface, what has changed, what is no longer known.</param>
        private void Heard(BusReader reader)
        {
            if (reader.ReadString() == Unit && reader.ReadProperties().GetValueOrDefault("ActiveState") is "failed")
                Hear();
        }

        private void Hear()
        {
            if (news)
                return;
            news = true;
            ring();
        }
    }
}
