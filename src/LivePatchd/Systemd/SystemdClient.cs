// systemd as this daemon asks it: which units failed, whether the boot or the host is at its end. One connection, for one thread.
using System.Collections.Immutable;
using LivePatchd.Bus;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Systemd;

/// <summary>Every call has a time limit, and systemd's absence is an error like any other.</summary>
internal sealed class SystemdClient : IDisposable
{
    public const string Service = "org.freedesktop.systemd1";
    public const string Path = "/org/freedesktop/systemd1";
    public const string Manager = "org.freedesktop.systemd1.Manager";

    public static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);

    /// <summary>A host with more failed units than this is in trouble of its own, and nothing is told apart any more.</summary>
    public const int MaxFailed = 1000;

    private const int MaxUnitName = 255;

    private const int MaxJobs = 10_000;

    /// <summary>Ten years: a host that claims to be up for longer is not believed.</summary>
    private const ulong MaxMicroseconds = 315_576_000_000_000;

    private SystemdClient(BusClient bus) => Bus = bus;

    public BusClient Bus { get; }

    public static BusResult<SystemdClient> Connect(BusAddress address)
    {
        var bus = BusClient.Connect(address);
        return bus.IsOk ? new SystemdClient(bus.Value) : bus.Error;
    }

    public BusResult<ImmutableArray<string>> FailedUnits() => Call(
        "ListUnitsFiltered",
        static w => w.WriteStrings(["failed"]),
        "a(ssssssouso)",
        static r => r.ReadArray("(ssssssouso)", static a => a.ReadStruct("ssssssouso", static s =>
        {
            var name = s.ReadString(MaxUnitName);
            for (var text = 0; text < 5; text++)
                _ = s.ReadString();
            _ = s.ReadObjectPath();
            _ = s.ReadUInt32();
            _ = s.ReadString();
            _ = s.ReadObjectPath();
            return name;
        }), MaxFailed).ToImmutableArray());

    /// <summary>What else is known of these units; one that cannot be asked, or has gone meanwhile, is left out.</summary>
    public ImmutableDictionary<string, UnitFacts> Facts(IEnumerable<string> units)
    {
        var facts = ImmutableDictionary.CreateBuilder<string, UnitFacts>(StringComparer.Ordinal);
        foreach (var unit in units.Take(HealthBaseline.MaxUnits))
        {
            var path = BusPath.Encode($"{Path}/unit", unit);
            var known = Bus.GetAll(Service, path, $"{Service}.Unit", CallLimit);
            if (!known.IsOk)
                continue;
            var restarts = unit.EndsWith(".service", StringComparison.Ordinal) ? Get(path, $"{Service}.Service", "NRestarts", static value => value is uint n ? n : 0u) : 0u;
            facts[unit] = new UnitFacts(
                Moment(known.Value, "StateChangeTimestampMonotonic"),
                Moment(known.Value, "ActiveEnterTimestampMonotonic"),
                restarts.IsOk ? restarts.Value : 0,
                known.Value.GetValueOrDefault("Transient") is true,
                unit.Contains('@', StringComparison.Ordinal) && known.Value.GetValueOrDefault("TriggeredBy") is IEnumerable<string> by && by.Any(static t => t.EndsWith(".socket", StringComparison.Ordinal)));
        }
        return facts.ToImmutable();
    }

    /// <summary>systemd's 0 is never.</summary>
    private static TimeSpan? Moment(Dictionary<string, object> known, string property) =>
        known.GetValueOrDefault(property) is ulong and > 0 and < long.MaxValue / 10 and var microseconds ? TimeSpan.FromTicks((long)microseconds * 10) : null;

    /// <summary>True from the moment at which systemd has worked off the boot's queue.</summary>
    public BusResult<bool> HasBooted() => Get(Path, Manager, "FinishTimestampMonotonic", static value => value is ulong and > 0);

    /// <summary>Since the kernel began; zero where systemd does not tell.</summary>
    public BusResult<TimeSpan> UserspaceBegan() => Get(
        Path, Manager, "UserspaceTimestampMonotonic", static value => value is ulong microseconds and < MaxMicroseconds ? TimeSpan.FromMicroseconds((long)microseconds) : TimeSpan.Zero);

    /// <summary>The job that has been running for longest, such as "late.service/start"; null when there is none.</summary>
    public BusResult<string?> OldestJob() => Call(
        "ListJobs",
        null,
        "a(usssoo)",
        static r => r.ReadArray("(usssoo)", static a => a.ReadStruct("usssoo", static s =>
        {
            var (id, unit, kind, state) = (s.ReadUInt32(), s.ReadString(MaxUnitName), s.ReadString(), s.ReadString());
            _ = s.ReadObjectPath();
            _ = s.ReadObjectPath();
            return (Id: id, Words: $"{unit}/{kind}", Runs: state == "running");
        }), MaxJobs).OrderByDescending(static j => j.Runs).ThenBy(static j => j.Id).Select(static j => j.Words).FirstOrDefault());

    /// <summary>The host is going down, by whatever command.</summary>
    public BusResult<bool> IsStopping(TimeSpan limit) => Get(Path, Manager, "SystemState", static value => value is "stopping", limit);

    /// <summary>systemd sends no signals to a connection that has not asked for them.</summary>
    public BusResult<bool> Subscribe(string member, Action<BusReader, string, string> onSignal)
    {
        var matched = Bus.AddMatch(Service, $"path='{Path}',interface='{Manager}',member='{member}'", onSignal);
        return matched.IsOk ? Call("Subscribe", null, "", static _ => true) : matched;
    }

    /// <summary>What systemd says of the properties of any unit, and the moment at which it leaves the bus or comes back to it.</summary>
    public BusResult<bool> SubscribeToUnits(Action<BusReader> onChange, Action onOwner)
    {
        var matched = Bus.AddMatch(
            Service,
            $"path_namespace='{Path}/unit',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',arg0='{Service}.Unit'",
            (reader, _, _) => onChange(reader));
        if (matched.IsOk)
        {
            matched = Bus.AddMatch(
                "org.freedesktop.DBus",
                $"path='/org/freedesktop/DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{Service}'",
                (_, _, _) => onOwner());
        }
        return matched.IsOk ? Call("Subscribe", null, "", static _ => true) : matched;
    }

    public BusResult<T> Call<T>(string member, Action<BusWriter>? args, string replySignature, Func<BusReader, T> read) =>
        Bus.Call(Service, Path, Manager, member, CallLimit, args, replySignature, read);

    public BusResult<T> Get<T>(string path, string iface, string property, Func<object, T> read, TimeSpan? limit = null)
    {
        var value = Bus.Get(Service, path, iface, property, limit ?? CallLimit);
        return value.IsOk ? read(value.Value) : value.Error;
    }

    public void Dispose() => Bus.Dispose();
}
