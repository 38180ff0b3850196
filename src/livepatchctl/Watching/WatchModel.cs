// What a watcher knows of the daemon, kept current by its signals; every change of state or reason is noted once.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Watching;

/// <param name="State">Null when the patch is not known any more.</param>
internal sealed record Change(DateTimeOffset Time, string Patch, string? State, string? Reason);

internal sealed class WatchModel
{
    private readonly Dictionary<string, Dictionary<string, object>> _patches = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, object>> _gates = new(StringComparer.Ordinal);
    private readonly Queue<Change> _changes = new();
    private Dictionary<string, object> _host = [];
    private bool _isComplete;

    public HostFacts Host => HostFacts.From(_host);

    public IReadOnlyList<PatchFacts> Patches =>
        [.. _patches.Values.Select(PatchFacts.From).OrderBy(static p => p.Name, StringComparer.Ordinal)];

    /// <summary>What keeps a change back, in the order in which it is asked.</summary>
    public IReadOnlyList<GateFacts> ClosedGates =>
        [.. _gates.Values.Select(GateFacts.From).Where(static g => !g.Open).OrderBy(static g => g.Rank)];

    public GateBoardFacts Board => GateBoardFacts.From(_host);

    public bool KnowsGates => _gates.Count > 0;

    /// <summary>Figures move that no signal tells of.</summary>
    public bool HasMovingFigures => Host.Transition is not null || _gates.Values.Any(static g => !g.Flag("Open"));

    /// <summary>Nothing is on its way: every patch is where it will stay unless something happens.</summary>
    public bool IsIdle => _isComplete && !_patches.Values.Any(static p => PatchStates.Parse(p.Text("State") ?? "").IsUnderWay());

    public bool TryTakeChange(out Change change) => _changes.TryDequeue(out change!);

    /// <summary>A whole look. After the first, what differs from the last one known is a change.</summary>
    public void Reset(DaemonSnapshot look, DateTimeOffset now)
    {
        var patches = look.Patches;
        _host = look.Host;
        _gates.Clear();
        foreach (var (path, values) in look.Gates)
            _gates[path] = values;
        foreach (var path in _patches.Keys.Except(patches.Keys).ToList())
            Remove(path, now);
        foreach (var (path, values) in patches)
            Put(path, values, now, silent: !_isComplete);
        _isComplete = true;
    }

    /// <returns>False when the signal cannot be understood without a whole new look.</returns>
    public bool Apply(BusReader reader, string path, string member, DateTimeOffset now)
    {
        switch (member)
        {
            case "PropertiesChanged":
                var (iface, changed, invalidated) = Properties.ReadChange(reader);
                return Merge(path, iface, changed, now) && invalidated.Length == 0;
            case "InterfacesAdded":
                var added = reader.ReadObjectPath();
                reader.EnterArray("{sa{sv}}");
                while (!reader.AtEnd)
                {
                    reader.EnterDictEntry("sa{sv}");
                    var (name, values) = (reader.ReadString(), reader.ReadProperties());
                    if (name == BusNames.Patch)
                        Put(added, values, now, silent: false);
                    else if (name == BusNames.Gate)
                        _gates[added] = values;
                    reader.Exit();
                }
                reader.Exit();
                return true;
            case "InterfacesRemoved":
                var removed = reader.ReadObjectPath();
                if (reader.ReadStrings().Contains(BusNames.Patch))
                    Remove(removed, now);
                return true;
            default:
                return true;
        }
    }

    private bool Merge(string path, string iface, Dictionary<string, object> changed, DateTimeOffset now)
    {
        if (iface == BusNames.Manager)
        {
            foreach (var (name, value) in changed)
                _host[name] = value;
            return true;
        }
        if (iface == BusNames.Gate && _gates.TryGetValue(path, out var gate))
        {
            foreach (var (name, value) in changed)
                gate[name] = value;
            return true;
        }
        if (iface != BusNames.Patch)
            return iface != BusNames.Gate;
        if (!_patches.TryGetValue(path, out var known))
            return false;
        var merged = new Dictionary<string, object>(known, StringComparer.Ordinal);
        foreach (var (name, value) in changed)
            merged[name] = value;
        Put(path, merged, now, silent: false);
        return true;
    }

    private void Put(string path, Dictionary<string, object> values, DateTimeOffset now, bool silent)
    {
        var before = _patches.GetValueOrDefault(path);
        _patches[path] = values;
        var after = PatchFacts.From(values);
        if (silent || (before is not null && before.Text("State") == after.State && before.Text("Reason") == after.Reason))
            return;
        // The state's own time unless only the reason has changed since.
        var isNewState = before is null || before.Moment("StateSinceUsec") != after.StateSince;
        _changes.Enqueue(new Change(isNewState ? after.StateSince ?? now : now, after.Name, after.State, after.Reason));
    }

    private void Remove(string path, DateTimeOffset now)
    {
        if (_patches.Remove(path, out var values))
            _changes.Enqueue(new Change(now, values.Text("Name") ?? path, null, null));
    }
}
