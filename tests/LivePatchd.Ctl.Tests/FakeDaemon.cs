// A manager that serves the contract's bus interface and does nothing but what a test tells it.
using System.Collections.Concurrent;
using LivePatchd.Bus;
using LivePatchd.Bus.Tests;
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Tests;

internal sealed class FakeDaemon : IDisposable
{
    public const string Kernel = "6.12.0-13-amd64";

    private static readonly BusInterface Manager = new(
        BusNames.Manager,
        [
            new("Apply", "sa{sv}", ["name", "options"], "o", ["job"], static c => Of(c).StartJob(c, "apply")),
            new("Hold", "st", ["why", "until_usec"], "", [], static c => Of(c).Answer(c, () => Of(c).Asked.Enqueue($"hold {c.Reader.ReadString()} {c.Reader.ReadUInt64()}"))),
            new("Confirm", "s", ["name"], "", [], static c => Of(c).Answer(c, () => Of(c).Asked.Enqueue($"confirm {c.Reader.ReadString()}"))),
            new("Release", "s", ["name"], "", [], static c => Of(c).Answer(c, () => Of(c).Asked.Enqueue($"release {c.Reader.ReadString()}"))),
            new("Unhold", "", [], "", [], static c => Of(c).Answer(c, () => Of(c).Asked.Enqueue("unhold"))),
            new("Inhibit", "ss", ["who", "why"], "h", ["fd"], static c => Of(c).Inhibit(c)),
            new("Revert", "sa{sv}", ["name", "options"], "o", ["job"], static c => Of(c).StartJob(c, "revert")),
            new("Stage", "hsa{sv}", ["fd", "filename", "options"], "s", ["name"], static c => Of(c).Stage(c)),
            new("Unstage", "s", ["name"], "", [], static c => Of(c).Unstage(c)),
            new("History", "s", ["name"], "s", ["json"], static c => c.Reply(w => w.WriteString(Of(c).HistoryText))),
            new("Plan", "", [], "s", ["json"], static c => c.Reply(w => w.WriteString(Of(c).PlanText))),
            new("PlanFile", "hs", ["file", "filename"], "s", ["json"], static c => Of(c).PlanFile(c)),
            new("Blocking", "", [], "s", ["json"], static c => c.Reply(w => w.WriteString(Of(c).NextBlocking()))),
            new("Force", "ss", ["name", "token"], "", [], static c => Of(c).Answer(c, () => Of(c).Asked.Enqueue($"force {c.Reader.ReadString()} {c.Reader.ReadString()}"))),
            new("Reload", "", [], "", [], static c => Of(c).Answer(c, static () => { })),
            new("Diagnose", "", [], "h", ["bundle"], static c => Of(c).Diagnose(c)),
            new("ListPatches", "", [], "a(sssso)", ["patches"], static c => Of(c).List(c)),
        ],
        [
            Text("Version", static d => d.Version),
            Text("KernelRelease", static _ => Kernel),
            Text("Mode", static d => d.Mode),
            Text("State", static d => d.State),
            Text("Reason", static d => d.Reason),
            new("GateOpen", "b", static (w, d) => w.WriteBool(((FakeDaemon)d!).Gates.All(static g => g.Open))),
            Text("GateReason", static d => d.Gates.FirstOrDefault(static g => !g.Open)?.Reason ?? ""),
            new("GateRetryAtUsec", "t", static (w, d) => w.WriteUInt64(FakePatch.Microseconds(((FakeDaemon)d!).NextAttempt))),
            Text("HoldWhy", static d => d.Hold?.Why ?? ""),
            new("HoldSinceUsec", "t", static (w, d) => w.WriteUInt64(FakePatch.Microseconds(((FakeDaemon)d!).Hold?.Since))),
            new("HoldUntilUsec", "t", static (w, d) => w.WriteUInt64(FakePatch.Microseconds(((FakeDaemon)d!).Hold?.Until))),
            new("Inhibitors", "a(ssut)", static (w, d) => w.WriteArray("(ssut)", ((FakeDaemon)d!).Inhibitors, static (w, i) => w.WriteStruct("ssut", f =>
            {
                f.WriteString(i.Who);
                f.WriteString(i.Why);
                f.WriteUInt32(i.Uid);
                f.WriteUInt64(FakePatch.Microseconds(i.Since));
            }))),
            new("HoldReasons", "a(sst)", static (w, d) => w.WriteArray("(sst)", ((FakeDaemon)d!).Holds, static (w, hold) => w.WriteStruct("sst", f =>
            {
                f.WriteString(hold.Patch);
                f.WriteString(hold.Reason);
                f.WriteUInt64(FakePatch.Microseconds(hold.RetryAt));
            }))),
            new("NextAttemptUsec", "t", static (w, d) => w.WriteUInt64(FakePatch.Microseconds(((FakeDaemon)d!).NextAttempt))),
            Text("TransitionPatch", static d => d.TransitionPatch),
            new("TransitionSinceUsec", "t", static (w, d) => w.WriteUInt64(FakePatch.Microseconds(((FakeDaemon)d!).TransitionSince))),
            new("TransitionTasksTotal", "u", static (w, d) => w.WriteUInt32(((FakeDaemon)d!).Tasks.Total)),
            new("TransitionTasksSwitched", "u", static (w, d) => w.WriteUInt32(((FakeDaemon)d!).Tasks.Switched)),
            new("ConfigGeneration", "t", static (w, _) => w.WriteUInt64(3)),
            new("ConfigErrors", "as", static (w, d) => w.WriteStrings(((FakeDaemon)d!).ConfigErrors)),
            new("NotInForce", "as", static (w, d) => w.WriteStrings(((FakeDaemon)d!).NotInForce)),
            new("RefusedFiles", "a(sss)", static (w, d) => w.WriteArray("(sss)", ((FakeDaemon)d!).RefusedFiles, static (w, file) => w.WriteStruct("sss", f =>
            {
                f.WriteString(file.Path);
                f.WriteString(file.Reason);
                f.WriteString(file.Detail);
            }))),
            new("Conditions", "a(ss)", static (w, d) => w.WriteArray("(ss)", ((FakeDaemon)d!).Conditions, static (w, pair) => w.WriteStruct("ss", f =>
            {
                f.WriteString(pair.Reason);
                f.WriteString(pair.Detail);
            }))),
            new("Directories", "as", static (w, d) => w.WriteStrings(((FakeDaemon)d!).Directories)),
            new("Tainted", "t", static (w, d) => w.WriteUInt64(((FakeDaemon)d!).Tainted)),
        ],
        [new("JobNew", "uo", ["id", "job"]), new("JobRemoved", "uos", ["id", "job", "result"])]);

    private readonly TestBus _bus;
    private readonly ConcurrentDictionary<string, FakePatch> _patches = new();
    private readonly ConcurrentDictionary<string, FakeJob> _jobs = new();
    private BusServer _server;
    private uint _lastJob;

    public FakeDaemon(TestBus bus, params FakePatch[] patches)
    {
        _bus = bus;
        foreach (var patch in patches)
            _patches[patch.Name] = patch;
        _server = bus.Serve(BusNames.Service, SetUp);
    }

    public string Version { get; set; } = "0.1.0";

    public string Mode { get; set; } = "apply";

    public string State { get; set; } = "running";

    public string Reason { get; set; } = "";

    public (string Patch, string Reason, DateTimeOffset? RetryAt)[] Holds { get; set; } = [];

    public (string Path, string Reason, string Detail)[] RefusedFiles { get; set; } = [];

    public (string Reason, string Detail)[] Conditions { get; set; } = [];

    public DateTimeOffset? NextAttempt { get; set; }

    public FakeGate[] Gates { get; set; } = [];

    public (string Why, DateTimeOffset Since, DateTimeOffset? Until)? Hold { get; set; }

    public (string Who, string Why, uint Uid, DateTimeOffset Since)[] Inhibitors { get; set; } = [];

    public string TransitionPatch { get; set; } = "";

    public DateTimeOffset? TransitionSince { get; set; }

    public (uint Switched, uint Total) Tasks { get; set; }

    /// <summary>Of each question in turn; the last one again and again.</summary>
    public ConcurrentQueue<string> BlockingTexts { get; } = [];

    public string[] ConfigErrors { get; set; } = [];

    public string[] NotInForce { get; set; } = [];

    public ulong Tainted { get; set; }

    public string[] Directories { get; set; } = [];

    /// <summary>Whatever the name.</summary>
    public string HistoryText { get; set; } = """{"schema":1,"entries":[]}""";

    public string PlanText { get; set; } = """{"schema":1,"steps":[],"holds":[],"patches":[]}""";

    public string Bundle { get; set; } = """{"schema":1}""";

    /// <summary>An error name below org.livepatchd1.Error and a message: every mutator answers with it.</summary>
    public (string Name, string Message)? Refusal { get; set; }

    /// <summary>Runs on the bus thread when a job is asked for, before the caller has the answer.</summary>
    public Action<FakeDaemon, FakeJob> OnJob { get; set; } = static (daemon, job) => daemon.Finish(job, "done", job.Kind == "apply" ? "active" : "reverted");

    public ConcurrentQueue<(string FileName, string Contents)> Staged { get; } = [];

    public ConcurrentQueue<string> Asked { get; } = [];

    private void List(BusCall call) => call.Reply(w => w.WriteArray("(sssso)", _patches.Values.OrderBy(static p => p.Name, StringComparer.Ordinal), static (a, p) => a.WriteStruct("sssso", f =>
    {
        f.WriteString(p.Name);
        f.WriteString(p.State);
        f.WriteString(p.Reason);
        f.WriteString(p.Sha256);
        f.WriteObjectPath(p.Path);
    })));

    public void Set(string name, string state, string reason = "") => OnBus(() =>
    {
        var patch = _patches[name];
        patch.State = state;
        patch.Reason = reason;
        patch.StateSince = TimeProvider.System.GetUtcNow();
        _server.EmitPropertiesChanged(patch.Path, BusNames.Patch, "State", "Reason", "StateSinceUsec");
    });

    public void Add(FakePatch patch) => OnBus(() =>
    {
        _patches[patch.Name] = patch;
        _server.AddObject(patch.Path, FakePatch.Interface, patch);
        _server.EmitInterfacesAdded(patch.Path, BusNames.Patch);
    });

    public void Remove(string name) => OnBus(() =>
    {
        if (!_patches.TryRemove(name, out var patch))
            return;
        _server.EmitInterfacesRemoved(patch.Path, BusNames.Patch);
        _server.RemoveObject(patch.Path);
    });

    public void Finish(FakeJob job, string result, string state, string reason = "") => OnBus(() =>
    {
        Set(job.Patch, state, reason);
        job.State = "done";
        job.Result = result;
        _server.EmitPropertiesChanged(job.Path, BusNames.Job, "State", "Result");
        SayRemoved(job, result);
    });

    public void SayRemoved(FakeJob job, string result) => OnBus(() =>
    {
        _server.EmitSignal(BusNames.ManagerPath, BusNames.Manager, "JobRemoved", "uos", w =>
        {
            w.WriteUInt32(job.Id);
            w.WriteObjectPath(job.Path);
            w.WriteString(result);
        });
    });

    /// <summary>Leaves the bus; the jobs are forgotten, the patches are not.</summary>
    public void Stop()
    {
        _server.Dispose();
        _jobs.Clear();
        _lastJob = 0;
    }

    /// <summary>As soon as the bus has noticed that the last one left.</summary>
    public void Start()
    {
        var started = SpinWait.SpinUntil(
            () =>
            {
                var opened = BusServer.Open(_bus.BusAddress, BusNames.Service, SetUp);
                Assert.True(opened.IsOk || opened.Error.Errno == BusErrno.Exists, opened.Error?.ToString());
                _server = opened.Value ?? _server;
                return opened.IsOk;
            },
            Ctl.Limit);
        Assert.True(started);
    }

    /// <summary>While the daemon is away, so that no signal tells of it.</summary>
    public void Forget(string name) => _patches.TryRemove(name, out _);

    /// <inheritdoc cref="Forget"/>
    public void Become(string name, string state) => _patches[name].State = state;

    public void Dispose() => _server.Dispose();

    private static FakeDaemon Of(BusCall call) => (FakeDaemon)call.State!;

    private static BusProperty Text(string name, Func<FakeDaemon, string> get) => new(name, "s", (w, d) => w.WriteString(get((FakeDaemon)d!)));

    private void SetUp(BusServer server)
    {
        server.AddObjectManager(BusNames.ManagerPath);
        server.AddObject(BusNames.ManagerPath, Manager, this);
        foreach (var patch in _patches.Values)
            server.AddObject(patch.Path, FakePatch.Interface, patch);
    }

    private void OnBus(Action action) => _server.Post(action);

    /// <summary>Serves the gates; before anybody looks.</summary>
    public void Show(params FakeGate[] gates) => OnBus(() =>
    {
        Gates = gates;
        foreach (var gate in gates)
            _server.AddObject(gate.Path, FakeGate.Interface, gate);
    });

    /// <summary>The figure is what it is: no signal tells of it.</summary>
    public void Open(FakeGate gate) => OnBus(() =>
    {
        (gate.Open, gate.Reason) = (true, "");
        _server.EmitPropertiesChanged(gate.Path, BusNames.Gate, "Open", "Reason");
        _server.EmitPropertiesChanged(BusNames.ManagerPath, BusNames.Manager, "GateOpen", "GateReason");
    });

    private void Inhibit(BusCall call)
    {
        if (Refused(call))
            return;
        Asked.Enqueue($"inhibit {call.Reader.ReadString()}: {call.Reader.ReadString()}");
        using var token = File.OpenHandle("/dev/null");
        call.Reply(w => w.WriteFd(token));
    }

    private void Diagnose(BusCall call)
    {
        if (Refused(call))
            return;
        var path = Path.GetTempFileName();
        File.WriteAllText(path, Bundle);
        using var file = File.OpenHandle(path);
        File.Delete(path);
        call.Reply(w => w.WriteFd(file));
    }

    private string NextBlocking()
    {
        Assert.True(BlockingTexts.TryPeek(out var text));
        if (BlockingTexts.Count > 1)
            BlockingTexts.TryDequeue(out _);
        return text;
    }

    private bool Refused(BusCall call) =>
        Refusal is { } refusal && call.ReplyError(refusal.Name.Contains('.') ? refusal.Name : BusNames.ErrorPrefix + refusal.Name, refusal.Message);

    private void Answer(BusCall call, Action action)
    {
        if (Refused(call))
            return;
        action();
        call.Reply();
    }

    private void StartJob(BusCall call, string kind)
    {
        if (Refused(call))
            return;
        var name = call.Reader.ReadString();
        var options = call.Reader.ReadOptions();
        Asked.Enqueue(string.Join(' ', [kind, name, .. options.Select(static o => $"{o.Key}={o.Value}")]));
        if (!_patches.ContainsKey(name))
        {
            call.ReplyError(BusNames.ErrorPrefix + "NoSuchPatch", $"no patch {name}");
            return;
        }
        var job = new FakeJob { Id = ++_lastJob, Kind = kind, Patch = name };
        _jobs[job.Path] = job;
        _server.AddObject(job.Path, FakeJob.Interface, job);
        OnJob(this, job);
        call.Reply(w => w.WriteObjectPath(job.Path));
    }

    private void PlanFile(BusCall call)
    {
        if (Refused(call))
            return;
        using var stream = new FileStream(call.Reader.ReadFd(), FileAccess.Read);
        using var reader = new StreamReader(stream);
        Staged.Enqueue((call.Reader.ReadString(), reader.ReadToEnd()));
        call.Reply(w => w.WriteString(PlanText));
    }

    private void Stage(BusCall call)
    {
        if (Refused(call))
            return;
        using var stream = new FileStream(call.Reader.ReadFd(), FileAccess.Read);
        using var reader = new StreamReader(stream);
        var fileName = call.Reader.ReadString();
        Staged.Enqueue((fileName, reader.ReadToEnd()));
        var name = fileName.Split('.')[0].Replace('-', '_');
        if (!_patches.ContainsKey(name))
            Add(new FakePatch { Name = name, State = "staged" });
        call.Reply(w => w.WriteString(name));
    }

    private void Unstage(BusCall call)
    {
        if (Refused(call))
            return;
        var name = call.Reader.ReadString();
        Asked.Enqueue($"unstage {name}");
        if (_patches.ContainsKey(name))
            call.Reply();
        else
            call.ReplyError(BusNames.ErrorPrefix + "NoSuchPatch", $"no patch {name}");
    }
}
