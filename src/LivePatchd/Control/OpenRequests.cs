// How many requests of each kind of asker are open, with a bound for one and a bound for all.
namespace LivePatchd.Control;

/// <summary>Nobody is remembered longer than a request of theirs is open. Two connections' threads may meet here, when one bus is lost and the next one is found.</summary>
/// <param name="firstIsFree">The bound for all refuses nobody who has nothing open yet.</param>
internal class OpenRequests<TAsker>(int maxOfOne, int maxOfAll, bool firstIsFree = false)
    where TAsker : notnull
{
    private readonly Lock gate = new();
    private readonly Dictionary<TAsker, int> open = [];
    private int all;

    public int Askers
    {
        get
        {
            lock (gate)
                return open.Count;
        }
    }

    public bool TryEnter(TAsker asker)
    {
        lock (gate)
        {
            var own = open.GetValueOrDefault(asker);
            if (own >= maxOfOne || (all >= maxOfAll && !(firstIsFree && own == 0)))
                return false;
            open[asker] = own + 1;
            all++;
            return true;
        }
    }

    public void Leave(TAsker asker)
    {
        lock (gate)
        {
            all--;
            if (--open[asker] == 0)
                open.Remove(asker);
        }
    }
}
