// Who may have how many connections to /metrics: a newcomer is always let in, and somebody who only waits makes room for it.
namespace LivePatchd.Metrics;

/// <summary>
/// Refusing whoever comes last would let anybody keep the scraper out by holding connections. Whose a connection is, is known on the unix socket
/// alone; there a user makes room among its own first. Thread-safe.
/// </summary>
/// <param name="tell">Of so many connections closed since it was called last: at once, and then once a minute at most.</param>
internal sealed class ConnectionSlots(TimeProvider clock, Action<int> tell)
{
    public const int MaxOfOne = 8;
    public const int MaxOfAll = 48;

    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly LinkedList<Slot> open = [];
    private int untold;
    private long? toldAt;

    /// <param name="Uid">Null on TCP.</param>
    /// <param name="Close">Ends the connection; may be called more than once.</param>
    internal sealed record Slot(uint? Uid, bool IsUnix, Action Close)
    {
        /// <summary>A request of it is being answered, which takes milliseconds.</summary>
        public bool IsBusy { get; set; }
    }

    public int Count
    {
        get
        {
            lock (gate)
                return open.Count;
        }
    }

    public Slot Enter(uint? uid, bool isUnix, Action close)
    {
        var slot = new Slot(uid, isUnix, close);
        List<Slot> leaving = [];
        var line = 0;
        lock (gate)
        {
            open.AddLast(slot);
            if (uid is not (null or 0) && open.Count(s => s.Uid == uid) > MaxOfOne)
                Drop(s => s.Uid == uid);
            if (open.Count > MaxOfAll && !Drop(s => s.Uid is not 0))
                Drop(static _ => true);
            untold += leaving.Count;
            if (untold > 0 && (toldAt is not { } last || clock.GetElapsedTime(last) >= BetweenLines))
                (line, untold, toldAt) = (untold, 0, clock.GetTimestamp());
        }
        foreach (var gone in leaving)
            gone.Close();
        if (line > 0)
            tell(line);
        return slot;

        // The oldest that waits; where all of them are busy, the newcomer itself.
        bool Drop(Func<Slot, bool> among)
        {
            var oldest = open.FirstOrDefault(s => among(s) && !s.IsBusy);
            if (oldest is null)
                return false;
            open.Remove(oldest);
            leaving.Add(oldest);
            return true;
        }
    }

    public void Leave(Slot slot)
    {
        lock (gate)
            open.Remove(slot);
    }
}
