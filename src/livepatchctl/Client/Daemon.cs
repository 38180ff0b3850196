// The daemon as this tool sees it: one method for each thing it can be asked.
using System.Runtime.InteropServices;
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Commands;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Ctl.Client;

internal sealed record JobFacts(uint Id, bool IsDone, string Result);

/// <summary>Properties of the manager, and those of patches and gates by object path.</summary>
internal sealed record DaemonSnapshot(
    Dictionary<string, object> Host, Dictionary<string, Dictionary<string, object>> Patches, Dictionary<string, Dictionary<string, object>> Gates);

internal sealed class Daemon : IDisposable
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(25);

    private readonly BusClient _bus;

    private Daemon(BusClient bus) => _bus = bus;

    public static BusResult<Daemon> Connect(BusAddress address)
    {
        var bus = BusClient.Connect(address);
        if (!bus.IsOk)
        {
            return bus.Error;
        }

        // A desktop may show its own window for a password; where there is none, the daemon hears so at once.
        bus.Value.AllowInteraction();
        // What an administrator has stopped stays stopped, also where some package left a service file for the name.
        bus.Value.NeverStart();
        return new Daemon(bus.Value);
    }

    public static string PatchPath(string name) => BusPath.Encode(BusNames.PatchPrefix, name);

    public BusResult<HostFacts> Host() => HostProperties().Then(HostFacts.From);

    /// <summary>Every patch, by name.</summary>
    public BusResult<List<PatchFacts>> Patches() => PatchProperties().Then(static patches =>
        patches.Values.Select(PatchFacts.From).OrderBy(static p => p.Name, StringComparer.Ordinal).ToList());

    /// <summary>The properties themselves, to be kept current by signals.</summary>
    public BusResult<DaemonSnapshot> Snapshot()
    {
        var host = HostProperties();
        return host.IsOk ? Objects().Then(objects => new DaemonSnapshot(host.Value, With(objects, BusNames.Patch), With(objects, BusNames.Gate))) : host.Error;
    }

    public BusResult<PatchFacts> Patch(string name)
    {
        var patch = _bus.GetAll(BusNames.Service, PatchPath(name), BusNames.Patch, CallLimit).Then(PatchFacts.From);
        return patch.Error is { Name: BusErrorNames.UnknownObject or BusErrorNames.UnknownInterface }
            ? new BusError(Failure.NoSuchPatch, $"no patch of the name {name}", BusErrno.NoEntry)
            : patch;
    }

    /// <param name="deadline">Null: for as long as the host's budget lasts.</param>
    /// <returns>The job's object path.</returns>
    public BusResult<string> Apply(string name, ApplyOptions how, DateTimeOffset? deadline)
    {
        var options = new List<KeyValuePair<string, object>>();
        if (how.OverrideGates)
            options.Add(new("override-gates", true));
        if (how.Confirm)
            options.Add(new("confirm", true));
        if (how.Downgrade)
            options.Add(new("downgrade", true));
        if (how.WaitForBoot)
            options.Add(new("wait-for-boot", true));
        if (deadline is { } end)
            options.Add(new("deadline-usec", (ulong)(end - DateTimeOffset.UnixEpoch).TotalMicroseconds));
        return StartJob("Apply", name, options);
    }

    /// <returns>The job's object path.</returns>
    public BusResult<string> Revert(string name, bool overrideGates, bool andSuperseded = false)
    {
        var options = new List<KeyValuePair<string, object>>();
        if (overrideGates)
            options.Add(new("override-gates", true));
        if (andSuperseded)
            options.Add(new("and-superseded", true));
        return StartJob("Revert", name, options);
    }

    /// <returns>The patch's name.</returns>
    public BusResult<string> Stage(SafeHandle file, string fileName) => Manager(
        "Stage",
        w =>
        {
            w.WriteFd(file);
            w.WriteString(fileName);
            w.WriteOptions([]);
        },
        "s",
        static r => r.ReadString());

    /// <param name="files">The module first, then its manifest and the manifest's signature.</param>
    public BusResult<string> StageFiles(IReadOnlyList<(SafeHandle File, string Name)> files) => Manager(
        "StageFiles",
        w =>
        {
            w.WriteArray("(hs)", files, static (a, file) => a.WriteStruct("hs", s =>
            {
                s.WriteFd(file.File);
                s.WriteString(file.Name);
            }));
            w.WriteOptions([]);
        },
        "s",
        static r => r.ReadString());

    public BusResult<bool> Unstage(string name) => Manager("Unstage", w => w.WriteString(name), "", static _ => true);

    public BusResult<bool> Confirm(string name) => Manager("Confirm", w => w.WriteString(name), "", static _ => true);

    public BusResult<bool> Release(string name) => Manager("Release", w => w.WriteString(name), "", static _ => true);

    /// <param name="until">Null: until <see cref="Unhold"/>.</param>
    public BusResult<bool> Hold(string why, DateTimeOffset? until) => Manager(
        "Hold",
        w =>
        {
            w.WriteString(why);
            w.WriteUInt64(until is { } end ? (ulong)(end - DateTimeOffset.UnixEpoch).TotalMicroseconds : 0);
        },
        "",
        static _ => true);

    public BusResult<bool> Unhold() => Manager("Unhold", null, "", static _ => true);

    /// <returns>What inhibits as long as anybody has it open.</returns>
    public BusResult<SafeFileHandle> Inhibit(string who, string why) => Manager(
        "Inhibit",
        w =>
        {
            w.WriteString(who);
            w.WriteString(why);
        },
        "h",
        static r => r.ReadFd());

    public BusResult<string> Plan() => Manager("Plan", null, "s", static r => r.ReadString());

    public BusResult<string> PlanFile(SafeHandle file, string fileName) => Manager(
        "PlanFile",
        w =>
        {
            w.WriteFd(file);
            w.WriteString(fileName);
        },
        "s",
        static r => r.ReadString());

    /// <param name="name">Empty for every patch.</param>
    public BusResult<string> History(string name) => Manager("History", w => w.WriteString(name), "s", static r => r.ReadString());

    /// <summary>Root sees which tasks and whose; a daemon that has no such method yet shows them to everybody.</summary>
    public BusResult<string> Blocking()
    {
        var tasks = Environment.IsPrivilegedProcess ? Manager("BlockingTasks", null, "s", static r => r.ReadString()) : default;
        return tasks.IsOk ? tasks : Manager("Blocking", null, "s", static r => r.ReadString());
    }

    /// <summary>As <see cref="Patches"/>, with all detail where this user may read it without a password; asked for only where some is missing.</summary>
    public BusResult<List<PatchFacts>> PatchesWithEvidence() => Patches().Then(all =>
        all.ConvertAll(p => p.Grade is not null || p.KnownState is PatchState.Quarantined || p.Detail?.Contains("(address)", StringComparison.Ordinal) is true ? WithEvidence(p) : p));

    /// <summary>A patch with all of its detail, where this user may read it without a password.</summary>
    public PatchFacts WithEvidence(PatchFacts patch) =>
        Environment.IsPrivilegedProcess && Manager("Evidence", w => w.WriteString(patch.Name), "s", static r => r.ReadString()) is { IsOk: true, Value: { Length: > 0 } detail }
            ? patch with { Detail = detail }
            : patch;

    public BusResult<bool> Force(string name, string token) => Manager(
        "Force",
        w =>
        {
            w.WriteString(name);
            w.WriteString(token);
        },
        "",
        static _ => true);

    public BusResult<bool> Reload() => Manager("Reload", null, "", static _ => true);

    /// <returns>A sealed file with the bundle.</returns>
    public BusResult<SafeFileHandle> Diagnose() => Manager("Diagnose", null, "h", static r => r.ReadFd());

    /// <summary>Of all patches; none while the daemon is not running, which this does not change.</summary>
    public BusResult<List<string>> NamesIfRunning(TimeSpan limit)
    {
        const string Bus = "org.freedesktop.DBus";
        var running = _bus.Call(Bus, "/org/freedesktop/DBus", Bus, "NameHasOwner", limit, static w => w.WriteString(BusNames.Service), "b", static r => r.ReadBool());
        return running is { IsOk: true, Value: true }
            ? _bus.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "ListPatches", limit, null, "a(sssso)", ReadNames)
            : new List<string>();
    }

    public BusResult<JobFacts> Job(string path) => _bus.GetAll(BusNames.Service, path, BusNames.Job, CallLimit).Then(static values =>
        new JobFacts((uint)values.Number("Id"), values.Text("State") == "done", values.Text("Result") ?? ""));

    public BusResult<bool> OnSignals(string sender, string rule, Action<BusReader, string, string> onSignal) => _bus.AddMatch(sender, rule, onSignal);

    public BusResult<BusWait> Wait(TimeSpan limit, SafeHandle cancel) => _bus.WaitForSignals(limit, cancel);

    public void Dispose() => _bus.Dispose();

    private BusResult<Dictionary<string, object>> HostProperties() =>
        _bus.GetAll(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, CallLimit);

    private BusResult<Dictionary<string, Dictionary<string, object>>> PatchProperties() => Objects().Then(static objects => With(objects, BusNames.Patch));

    private BusResult<Dictionary<string, Dictionary<string, Dictionary<string, object>>>> Objects() =>
        _bus.GetManagedObjects(BusNames.Service, BusNames.ManagerPath, CallLimit);

    private static Dictionary<string, Dictionary<string, object>> With(Dictionary<string, Dictionary<string, Dictionary<string, object>>> objects, string iface) => objects
        .Where(o => o.Value.ContainsKey(iface))
        .ToDictionary(static o => o.Key, o => o.Value[iface], StringComparer.Ordinal);

    private static List<string> ReadNames(BusReader reader) =>
        [.. reader.ReadArray("(sssso)", static r => r.ReadStruct("sssso", static s =>
        {
            var name = s.ReadString();
            for (var i = 0; i < 3; i++)
                _ = s.ReadString();
            _ = s.ReadObjectPath();
            return name;
        }))];

    private BusResult<string> StartJob(string method, string name, List<KeyValuePair<string, object>> options) => Manager(
        method,
        w =>
        {
            w.WriteString(name);
            w.WriteOptions(options);
        },
        "o",
        static r => r.ReadObjectPath());

    private BusResult<T> Manager<T>(string method, Action<BusWriter>? args, string replySignature, Func<BusReader, T> read) =>
        _bus.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, method, CallLimit, args, replySignature, read);
}

internal static class BusResults
{
    public static BusResult<TOut> Then<TIn, TOut>(this BusResult<TIn> result, Func<TIn, TOut> map) =>
        result.IsOk ? map(result.Value) : result.Error;
}
