// systemd's name on a private bus: failed units, services that end as told, the boot and its end.
using System.Collections.Concurrent;
using LivePatchd.Bus;

namespace LivePatchd.EndToEnd.Tests;

/// <param name="Job">What JobRemoved says; null: it does not end.</param>
/// <param name="Result">The service's own result.</param>
/// <param name="Requires">A unit that it takes to start this one.</param>
internal sealed record UnitEnd(string? Job, string ActiveState = "inactive", string Result = "success", string? Requires = null)
{
    /// <summary>The unit itself is never begun.</summary>
    public bool IsNoStart => Job is "skipped" or "canceled" or "dependency";

    public static readonly UnitEnd Passes = new("done");
    public static readonly UnitEnd Fails = new("failed", "failed", "exit-code");
    public static readonly UnitEnd Hangs = new(null, "activating");
}

internal sealed class FakeSystemd : IDisposable
{
    private const string Path = "/org/freedesktop/systemd1";
    private const string Manager = "org.freedesktop.systemd1.Manager";

    private readonly BusServer server;
    private readonly ConcurrentDictionary<string, UnitEnd> ends = new(StringComparer.Ordinal);
    private readonly HashSet<string> served = new(StringComparer.Ordinal);
    private readonly BusInterface unit;
    private readonly BusInterface service;
    private readonly BusInterface job;
    private readonly ConcurrentDictionary<string, ulong> invocations = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, ulong> conditions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (ulong Changed, ulong Up, uint Restarts, bool Transient, string? Socket)> facts = new(StringComparer.Ordinal);
    private volatile string[] failed = [];
    private volatile string state = "running";
    private ulong finished = 30_000_000;
    private ulong userspace;
    private volatile string[] queued = [];
    private uint jobs;

    public FakeSystemd(PrivateBus bus)
    {
        unit = new BusInterface(
            "org.freedesktop.systemd1.Unit",
            [],
            [
                new("ActiveState", "s", (w, name) => w.WriteString(End((string)name!).ActiveState)),
                new("InvocationID", "ay", (w, name) => w.WriteBytes(BitConverter.GetBytes(invocations.GetValueOrDefault((string)name!)))),
                new("ConditionTimestampMonotonic", "t", (w, name) => w.WriteUInt64(conditions.GetValueOrDefault((string)name!))),
                new("ConditionResult", "b", (w, name) => w.WriteBool(End((string)name!).Job is not "skipped")),
                new("StateChangeTimestampMonotonic", "t", (w, name) => w.WriteUInt64(Facts((string)name!).Changed)),
                new("ActiveEnterTimestampMonotonic", "t", (w, name) => w.WriteUInt64(Facts((string)name!).Up)),
                new("Transient", "b", (w, name) => w.WriteBool(Facts((string)name!).Transient)),
                new("TriggeredBy", "as", (w, name) => w.WriteStrings(Facts((string)name!).Socket is { } socket ? [socket] : [])),
                new("Requires", "as", (w, name) => w.WriteStrings(End((string)name!).Requires is { } required ? [required] : [])),
            ],
            []);
        job = new BusInterface("org.freedesktop.systemd1.Job", [], [new("State", "s", static (w, _) => w.WriteString("running"))], []);
        service = new BusInterface("org.freedesktop.systemd1.Service", [], [
            new("Result", "s", (w, name) => w.WriteString(End((string)name!).Result)),
            new("NRestarts", "u", (w, name) => w.WriteUInt32(Facts((string)name!).Restarts)),
        ], []);
        var manager = new BusInterface(
            Manager,
            [
                new BusMethod("Subscribe", "", [], "", [], Subscribe),
                new BusMethod("ListUnitsFiltered", "as", ["states"], "a(ssssssouso)", ["units"], List),
                new BusMethod("ListJobs", "", [], "a(usssoo)", ["jobs"], ListJobs),
                new BusMethod("StartUnit", "ss", ["name", "mode"], "o", ["job"], Start),
                new BusMethod("StopUnit", "ss", ["name", "mode"], "o", ["job"], Stop),
                new BusMethod("RefUnit", "s", ["name"], "", [], static call => call.Reply()),
                new BusMethod("LoadUnit", "s", ["name"], "o", ["unit"], Load),
            ],
            [
                new("FinishTimestampMonotonic", "t", (w, _) => w.WriteUInt64(Interlocked.Read(ref finished))),
                new("UserspaceTimestampMonotonic", "t", (w, _) => w.WriteUInt64(Interlocked.Read(ref userspace))),
                new("SystemState", "s", (w, _) => w.WriteString(state)),
            ],
            [
                new BusSignal("JobRemoved", "uoss", ["id", "job", "unit", "result"]),
                new BusSignal("StartupFinished", "tttttt", ["firmware", "loader", "kernel", "initrd", "userspace", "total"]),
            ]);
        var opened = BusServer.Open(BusAddress.At(bus.Address), "org.freedesktop.systemd1", s => s.AddObject(Path, manager));
        Assert.True(opened.IsOk, opened.Error?.ToString());
        server = opened.Value!;
    }

    public ConcurrentQueue<string> Started { get; } = [];

    public ConcurrentQueue<string> Stopped { get; } = [];

    public int Listings => Volatile.Read(ref listings);

    public int Subscriptions => Volatile.Read(ref subscriptions);

    private int listings;

    private int subscriptions;

    public void Ends(string name, UnitEnd end) => ends[name] = end;

    /// <summary>Failed units are asked for, and never listed.</summary>
    public bool Silent { get; set; }

    /// <summary>Signals are refused to everybody.</summary>
    public bool Deaf { get; set; }

    public void Fail(params string[] units) => failed = units;

    /// <summary>What is known of a unit beside its name, in microseconds since the boot.</summary>
    public void Knows(string name, ulong changed, ulong up, uint restarts = 0, bool transient = false, string? socket = null)
    {
        facts[name] = (changed, up, restarts, transient, socket);
        Serve(name);
    }

    /// <summary>As systemd tells of a change: of one unit, to who has subscribed.</summary>
    public void Says(string name, string activeState) => server.EmitSignal(
        PathOf(name), "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", w =>
        {
            w.WriteString(unit.Name);
            w.WriteOptions([new("ActiveState", activeState), new("SubState", activeState)]);
            w.WriteStrings(["Conditions"]);
        });

    /// <param name="began">Userspace, after the kernel.</param>
    /// <param name="jobs">As unit/type/state, the oldest first.</param>
    public void Boots(TimeSpan began = default, params string[] jobs)
    {
        Interlocked.Exchange(ref userspace, (ulong)began.TotalMicroseconds);
        queued = jobs;
        Interlocked.Exchange(ref finished, 0);
    }

    public void HasBooted()
    {
        Interlocked.Exchange(ref finished, 30_000_000);
        server.EmitSignal(Path, Manager, "StartupFinished", "tttttt", static w =>
        {
            for (var i = 0; i < 6; i++)
                w.WriteUInt64(1);
        });
    }

    public void ShutsDown() => state = "stopping";

    public void Dispose() => server.Dispose();

    private UnitEnd End(string name) => ends.GetValueOrDefault(name, UnitEnd.Passes);

    private void List(BusCall call)
    {
        Assert.Equal(["failed"], call.Reader.ReadStrings());
        Interlocked.Increment(ref listings);
        if (Silent)
            return;
        call.Reply(w => w.WriteArray("(ssssssouso)", failed, static (a, name) => a.WriteStruct("ssssssouso", s =>
        {
            foreach (var text in (string[])[name, "a unit", "loaded", "failed", "failed", ""])
                s.WriteString(text);
            s.WriteObjectPath(PathOf(name));
            s.WriteUInt32(0);
            s.WriteString("");
            s.WriteObjectPath("/");
        })));
    }

    private void ListJobs(BusCall call) => call.Reply(w => w.WriteArray("(usssoo)", queued.Select((job, index) => (job, index)), (array, entry) => array.WriteStruct("usssoo", s =>
    {
        s.WriteUInt32((uint)entry.index + 1);
        foreach (var text in entry.job.Split('/'))
            s.WriteString(text);
        s.WriteObjectPath($"{Path}/job/{entry.index + 1}");
        s.WriteObjectPath("/");
    })));

    private void Subscribe(BusCall call)
    {
        Interlocked.Increment(ref subscriptions);
        if (Deaf)
            call.ReplyError("org.freedesktop.DBus.Error.AccessDenied", "not to you");
        else
            call.Reply();
    }

    private void Start(BusCall call)
    {
        var name = call.Reader.ReadString();
        Assert.Equal("replace", call.Reader.ReadString());
        Started.Enqueue(name);
        if (!ends.TryGetValue(name, out var end))
        {
            call.ReplyError("org.freedesktop.systemd1.NoSuchUnit", $"Unit {name} not found.");
            return;
        }
        var id = ++jobs;
        conditions[name] = id;
        if (!end.IsNoStart)
            invocations[name] = id;
        if (end.Job is null)
            server.AddObject($"{Path}/job/{id}", job);
        call.Reply(w => w.WriteObjectPath($"{Path}/job/{id}"));
        if (end.Job is not { } result)
            return;
        server.EmitSignal(Path, Manager, "JobRemoved", "uoss", w =>
        {
            w.WriteUInt32(id);
            w.WriteObjectPath($"{Path}/job/{id}");
            w.WriteString(name);
            w.WriteString(result);
        });
    }

    private void Stop(BusCall call)
    {
        Stopped.Enqueue(call.Reader.ReadString());
        call.Reply(w => w.WriteObjectPath($"{Path}/job/{++jobs}"));
    }

    private void Load(BusCall call)
    {
        var name = call.Reader.ReadString();
        Serve(name);
        call.Reply(w => w.WriteObjectPath(PathOf(name)));
    }

    private void Serve(string name)
    {
        lock (served)
        {
            if (!served.Add(name))
                return;
        }
        server.AddObject(PathOf(name), unit, name);
        server.AddObject(PathOf(name), service, name);
    }

    private (ulong Changed, ulong Up, uint Restarts, bool Transient, string? Socket) Facts(string name) => facts.GetValueOrDefault(name);

    private static string PathOf(string name) => BusPath.Encode($"{Path}/unit", name);
}
