// The daemon as a bus client sees it.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.EndToEnd.Tests;

internal sealed record Listed(string Name, string State, string Reason, string Sha256, string Path);

internal sealed class BusView(BusClient client) : IDisposable
{
    private readonly List<(string Member, uint Id, string Result)> jobSignals = [];

    public BusClient Client => client;

    /// <summary>JobNew and JobRemoved as they came; collected by <see cref="Job"/>.</summary>
    public IReadOnlyList<(string Member, uint Id, string Result)> JobSignals => jobSignals;

    public void Dispose() => client.Dispose();

    public BusView ListenForJobs()
    {
        var rule = $"interface='{BusNames.Manager}',path='{BusNames.ManagerPath}'";
        Assert.True(client.AddMatch(BusNames.Service, rule, (reader, _, member) =>
        {
            var id = reader.ReadUInt32();
            Assert.Equal($"{BusNames.JobPrefix}/{id}", reader.ReadObjectPath());
            jobSignals.Add((member, id, member == "JobRemoved" ? reader.ReadString() : ""));
        }).IsOk);
        return this;
    }

    public BusResult<List<Listed>> List() => client.Call(
        BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "ListPatches", Limit.Call, null, "a(sssso)",
        static r => r.ReadArray("(sssso)", static a => a.ReadStruct("sssso", static s =>
            new Listed(s.ReadString(), s.ReadString(), s.ReadString(), s.ReadString(), s.ReadObjectPath()))));

    public Listed? Find(string name) => List() is { IsOk: true } list ? list.Value!.Find(p => p.Name == name) : null;

    public Dictionary<string, object> Patch(string name) => All(BusPath.Encode(BusNames.PatchPrefix, name), BusNames.Patch);

    /// <summary>The whole detail, which is not for everybody.</summary>
    public BusResult<string> Evidence(string name) => Call("Evidence", w => w.WriteString(name));

    /// <summary>A method of the manager that answers with a text.</summary>
    public BusResult<string> Call(string method, Action<BusWriter>? args = null) =>
        client.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, method, Limit.Call, args, "s", static r => r.ReadString());

    public Dictionary<string, object> Gate(string name) => All(BusPath.Encode(BusNames.GatePrefix, name), BusNames.Gate);

    public BusResult<bool> Hold(string why, DateTimeOffset? until = null) => client.Call(
        BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Hold", Limit.Call, w =>
        {
            w.WriteString(why);
            w.WriteUInt64(until is { } end ? (ulong)(end - DateTimeOffset.UnixEpoch).TotalMicroseconds : 0);
        });

    public BusResult<bool> Unhold() => client.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Unhold", Limit.Call);

    public BusResult<SafeFileHandle> Inhibit(string who, string why) => client.Call(
        BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Inhibit", Limit.Call,
        w =>
        {
            w.WriteString(who);
            w.WriteString(why);
        },
        "h", static r => r.ReadFd());

    public Dictionary<string, object> Manager() => All(BusNames.ManagerPath, BusNames.Manager);

    public string Plan() => Value(client.Call(
        BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Plan", Limit.Call, null, "s", static r => r.ReadString()));

    public string History(string name) => Value(AskHistory(name));

    public BusResult<string> AskHistory(string name) => client.Call(
        BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "History", Limit.Call, w => w.WriteString(name), "s", static r => r.ReadString());

    public BusResult<string> Ask(string method, string name, params (string Key, object Value)[] options) => client.Call(
        BusNames.Service, BusNames.ManagerPath, BusNames.Manager, method, Limit.Call,
        w =>
        {
            w.WriteString(name);
            w.WriteOptions(options.Select(o => KeyValuePair.Create(o.Key, o.Value)));
        },
        "o", static r => r.ReadObjectPath());

    public BusResult<string> Stage(SafeFileHandle file, string fileName, params (string Key, object Value)[] options) => client.Call(
        BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Stage", Limit.Call,
        w =>
        {
            w.WriteFd(file);
            w.WriteString(fileName);
            w.WriteOptions(options.Select(o => KeyValuePair.Create(o.Key, o.Value)));
        },
        "s", static r => r.ReadString());

    public BusResult<bool> Unstage(string name) =>
        client.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Unstage", Limit.Call, w => w.WriteString(name));

    public BusResult<bool> Confirm(string name) =>
        client.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Confirm", Limit.Call, w => w.WriteString(name));

    public BusResult<bool> Release(string name) =>
        client.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Release", Limit.Call, w => w.WriteString(name));

    public BusResult<bool> Reload() => client.Call(BusNames.Service, BusNames.ManagerPath, BusNames.Manager, "Reload", Limit.Call);

    public BusResult<bool> Cancel(string job) => client.Call(BusNames.Service, job, BusNames.Job, "Cancel", Limit.Call);

    /// <summary>Asks, and waits for the end of the job; its result.</summary>
    public async Task<string> Job(string method, string name)
    {
        var job = Value(Ask(method, name));
        return await Result(job);
    }

    public async Task<string> Result(string job)
    {
        await Limit.Until(() =>
        {
            Drain();
            return All(job, BusNames.Job)["Result"] is string { Length: > 0 };
        }, () => $"{job} has no result.");
        Drain();
        return (string)All(job, BusNames.Job)["Result"];
    }

    public void Drain()
    {
        while (client.WaitForSignals(TimeSpan.Zero) is { IsOk: true, Value: BusWait.SignalDelivered })
        {
        }
    }

    public static T Value<T>(BusResult<T> result)
    {
        Assert.True(result.IsOk, result.Error?.ToString());
        return result.Value!;
    }

    public static void Refused<T>(BusResult<T> result, string error, string part = "")
    {
        Assert.False(result.IsOk, "the call succeeded");
        Assert.Equal(error.Contains('.', StringComparison.Ordinal) ? error : BusNames.ErrorPrefix + error, result.Error!.Name);
        Assert.Contains(part, result.Error.Message, StringComparison.Ordinal);
    }

    private Dictionary<string, object> All(string path, string iface) => Value(client.GetAll(BusNames.Service, path, iface, Limit.Call));
}
