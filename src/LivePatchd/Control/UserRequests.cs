// How many unanswered requests each user other than root has: a bound on questions to polkit and on work that waits for the loop.
namespace LivePatchd.Control;

/// <summary>
/// By user and not by connection: a user has as many connections as it likes. Nobody is remembered longer than a request of theirs is open.
/// Two connections' threads may meet here, when one bus is lost and the next one is found.
/// </summary>
internal sealed class UserRequests
{
    public const int MaxOfOne = 8;
    public const int MaxOfAll = 64;

    private readonly Lock gate = new();
    private readonly Dictionary<uint, int> open = [];
    private int all;

    public int Users
    {
        get
        {
            lock (gate)
                return open.Count;
        }
    }

    public bool TryEnter(uint uid)
    {
        lock (gate)
        {
            var own = open.GetValueOrDefault(uid);
            if (own >= MaxOfOne || all >= MaxOfAll)
                return false;
            open[uid] = own + 1;
            all++;
            return true;
        }
    }

    public void Leave(uint uid)
    {
        lock (gate)
        {
            all--;
            if (--open[uid] == 0)
                open.Remove(uid);
        }
    }
}
