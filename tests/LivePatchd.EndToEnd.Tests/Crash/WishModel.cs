// What should be in the kernel, reckoned from what was done to the directory and answered by the daemon, and how often it changed.
namespace LivePatchd.EndToEnd.Tests.Crash;

internal sealed class WishModel
{
    private readonly Dictionary<string, Patch> files = [];
    private readonly HashSet<string> reverted = [];
    private readonly HashSet<string> quarantined = [];
    private readonly Dictionary<string, (string BuildId, string By)> replaced = [];
    private readonly Dictionary<string, string?> last = [];
    private readonly Dictionary<string, int> arrivals = [];
    private readonly Dictionary<string, int> departures = [];
    private readonly Lock gate = new();

    /// <summary>File names and what they hold.</summary>
    public IReadOnlyDictionary<string, Patch> Files => files;

    public bool HasFile(string name) => files.Values.Any(p => p.Name == name);

    public void Put(string fileName, Patch patch) => Change(() => files[fileName] = patch);

    public void Take(string fileName) => Change(() => files.Remove(fileName));

    public void Revert(string name) => Change(() => reverted.Add(name));

    /// <summary>The request was refused; one like it may have been carried out unanswered before.</summary>
    public void Refused(string name, bool isReverted, bool isReplaced) => Change(() =>
    {
        if (isReverted)
            reverted.Add(name);
        else
            reverted.Remove(name);
        if (!isReplaced)
            replaced.Remove(name);
    });

    public bool IsReverted(string name) => reverted.Contains(name);

    /// <summary>A damaged journal takes along what its damaged line alone said: of what operators had decided and which patches had been replaced, this is left.</summary>
    public void Keep(Func<string, bool> isReverted, Func<string, bool> isReplaced) => Change(() =>
    {
        reverted.RemoveWhere(name => !isReverted(name));
        foreach (var name in replaced.Keys.Where(name => !isReplaced(name)).ToList())
            replaced.Remove(name);
    });

    /// <summary>An operator's apply lifts a revert and a replacement.</summary>
    public void Apply(string name) => Change(() =>
    {
        reverted.Remove(name);
        replaced.Remove(name);
    });

    /// <summary>What is loaded again is not replaced any more, in whatever build.</summary>
    public void Loaded(string name) => Change(() => replaced.Remove(name));

    public void Quarantine(string buildId) => Change(() => quarantined.Add(buildId));

    public void Release(string buildId) => Change(() => quarantined.Remove(buildId));

    /// <summary>The kernel says so: a cumulative patch took the place of this one.</summary>
    public void Replace(string name, string buildId, string by) => Change(() => replaced[name] = (buildId, by));

    /// <summary>Build id of what should be loaded under the name; null for nothing.</summary>
    public string? Wanted(string name, Func<string, bool> loaded)
    {
        lock (gate)
            return WantedNow(name) is { } id && !(replaced.TryGetValue(name, out var r) && r.BuildId == id && (loaded(r.By) || WantedNow(r.By) is not null)) ? id : null;
    }

    /// <summary>
    /// How often the name's wish became a new build, and how often it stopped being one. The daemon may see fewer: what was removed while it
    /// was loaded, and dropped again with the same digest within the grace, is nothing to it.
    /// </summary>
    public (int Arrivals, int Departures) Changes(string name)
    {
        lock (gate)
        {
            // A cumulative patch takes others out of the kernel and, when it leaves, lets them in again.
            var cumulative = arrivals.Where(a => a.Key == CrashScript.Cumulative).Sum(a => a.Value) + departures.Where(a => a.Key == CrashScript.Cumulative).Sum(a => a.Value);
            return (arrivals.GetValueOrDefault(name) + cumulative, departures.GetValueOrDefault(name));
        }
    }

    private string? WantedNow(string name) =>
        !reverted.Contains(name) && files.Values.FirstOrDefault(p => p.Name == name) is { } patch && patch.Release == TestHost.Release && patch.Answer == Core.Model.Errno.None && !quarantined.Contains(patch.BuildIdHex)
            ? patch.BuildIdHex
            : null;

    private void Change(Action change)
    {
        lock (gate)
        {
            var before = last.ToDictionary();
            change();
            foreach (var name in files.Values.Select(p => p.Name).Concat(before.Keys).Distinct().ToList())
            {
                var (was, now) = (before.GetValueOrDefault(name), last[name] = WantedNow(name));
                if (was == now)
                    continue;
                if (was is not null)
                    departures[name] = departures.GetValueOrDefault(name) + 1;
                if (now is not null)
                    arrivals[name] = arrivals.GetValueOrDefault(name) + 1;
            }
        }
    }
}
