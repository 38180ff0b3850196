// org.livepatchd1.Manager: the host's view and the methods.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;
using LivePatchd.Publish;

namespace LivePatchd.Control;

/// <param name="blockersAsked">Somebody wants to know who blocks: it is looked for sooner.</param>
internal sealed class ManagerInterface(Action<Command> post, Authorizer authorizer, Action? blockersAsked = null)
{
    private const int MaxName = 255;

    // The module, its manifest, and the manifest's signature.
    private const int MaxStaged = 3;
    private const string NameRule = "a patch name has 1 to 55 characters of A-Z, a-z, 0-9 and _";
    private const int MaxWords = 256;
    private const int MaxToken = 64;
    private const string NoWords = "who and why must not be empty";

    public static IReadOnlyList<ServedProperty<DaemonSnapshot>> Properties { get; } =
    [
        ServedProperty<DaemonSnapshot>.Text("Version", s => s.Host.Version, constant: true),
        ServedProperty<DaemonSnapshot>.Text("KernelRelease", s => s.Host.KernelRelease),
        ServedProperty<DaemonSnapshot>.Text("Mode", s => s.Host.Mode),
        ServedProperty<DaemonSnapshot>.Text("State", s => s.Host.State),
        ServedProperty<DaemonSnapshot>.Text("Reason", s => s.Host.Reason?.Word() ?? ""),
        ServedProperty<DaemonSnapshot>.Bool("GateOpen", s => s.Gates.Reason is null),
        ServedProperty<DaemonSnapshot>.Text("GateReason", s => s.Gates.Reason?.Word() ?? ""),
        ServedProperty<DaemonSnapshot>.UInt64("GateRetryAtUsec", s => Wire.Usec(s.Gates.RetryAt)) with { Announced = false },
        ServedProperty<DaemonSnapshot>.Text("HoldWhy", s => s.Gates.Hold?.Why ?? ""),
        ServedProperty<DaemonSnapshot>.UInt64("HoldSinceUsec", s => Wire.Usec(s.Gates.Hold?.Since.Wall)),
        ServedProperty<DaemonSnapshot>.UInt64("HoldUntilUsec", s => Wire.Usec(s.Gates.Hold?.Until?.Wall)),
        new("Inhibitors", "a(ssut)", WriteInhibitors, (a, b) => a.Gates.Inhibitors.SequenceEqual(b.Gates.Inhibitors)),
        new("HoldReasons", "a(sst)", WriteHolds, (a, b) => a.Holds.SequenceEqual(b.Holds)),
        ServedProperty<DaemonSnapshot>.UInt64("NextAttemptUsec", s => Wire.Usec(s.Host.NextAttempt)),
        ServedProperty<DaemonSnapshot>.Text("TransitionPatch", s => s.Host.TransitionPatch?.Value ?? ""),
        ServedProperty<DaemonSnapshot>.UInt64("TransitionSinceUsec", s => Wire.Usec(s.Host.TransitionSince)),
        Tasks("TransitionTasksTotal", r => r.Total),
        Tasks("TransitionTasksSwitched", r => r.Switched),
        ServedProperty<DaemonSnapshot>.UInt64("ConfigGeneration", s => s.Host.ConfigGeneration),
        ServedProperty<DaemonSnapshot>.Texts("ConfigErrors", s => s.Host.ConfigErrors),
        ServedProperty<DaemonSnapshot>.Texts("NotInForce", s => s.Host.NotInForce),
        ServedProperty<DaemonSnapshot>.UInt64("Tainted", s => s.Host.Tainted),
        ServedProperty<DaemonSnapshot>.Texts("Directories", s => s.Host.Directories),
        new("Conditions", "a(ss)", WriteConditions, (a, b) => a.Host.Conditions.SequenceEqual(b.Host.Conditions)),
        new("RefusedFiles", "a(sss)", WriteRefused, (a, b) => a.Refused.SequenceEqual(b.Refused)),
    ];

    public BusInterface Interface { get; } = new(
        BusNames.Manager,
        authorizer.Guard(BusNames.Manager,
        [
            new BusMethod("Apply", "sa{sv}", ["name", "options"], "o", ["job"], c => Change(c, apply: true, (n, o) => post(new Command.Apply(c, n, o.OverrideGates, o.Confirm, o.Deadline, o.Downgrade) { WaitsForBoot = o.WaitForBoot }))),
            new BusMethod("Revert", "sa{sv}", ["name", "options"], "o", ["job"], c => Change(c, apply: false, (n, o) => post(new Command.Revert(c, n, o.OverrideGates, o.AndSuperseded)))),
            new BusMethod("Stage", "hsa{sv}", ["file", "filename", "options"], "s", ["name"], c => Stage(c, post)),
            new BusMethod("StageFiles", "a(hs)a{sv}", ["files", "options"], "s", ["name"], c => StageFiles(c, post)),
            new BusMethod("Unstage", "s", ["name"], "", [], c => Named(c, n => post(new Command.Unstage(c, n)), options: false)),
            new BusMethod("Confirm", "s", ["name"], "", [], c => Named(c, n => post(new Command.Confirm(c, n, Uid(c))), options: false)),
            new BusMethod("Release", "s", ["name"], "", [], c => Named(c, n => post(new Command.Release(c, n, Uid(c))), options: false)),
            new BusMethod("Hold", "st", ["why", "until_usec"], "", [], c => Hold(c, post)),
            new BusMethod("Unhold", "", [], "", [], c => post(new Command.Unhold(c))),
            new BusMethod("Inhibit", "ss", ["who", "why"], "h", ["fd"], c => Inhibit(c, post)),
            new BusMethod("Plan", "", [], "s", ["json"], c => c.Reply(w => w.WriteString(View(c).PlanJson))),
            new BusMethod("PlanFile", "hs", ["file", "filename"], "s", ["json"], c => PlanFile(c, post)),
            new BusMethod("History", "s", ["name"], "s", ["json"], History),
            new BusMethod("Blocking", "", [], "s", ["json"], c => Blocking(c, blockersAsked, tasks: false)),
            new BusMethod("BlockingTasks", "", [], "s", ["json"], c => Blocking(c, blockersAsked, tasks: true)),
            new BusMethod("Evidence", "s", ["name"], "s", ["detail"], Evidence),
            new BusMethod("Force", "ss", ["name", "token"], "", [], c => Force(c, post)),
            new BusMethod("Reload", "", [], "", [], c => post(new Command.Reload(c))),
            new BusMethod("Diagnose", "", [], "h", ["bundle"], c => post(new Command.Diagnose(c))),
            new BusMethod("ListPatches", "", [], "a(sssso)", ["patches"], ListPatches),
        ]),
        [.. Properties.Select(p => p.Declare())],
        [
            new BusSignal("JobNew", "uo", ["id", "job"]),
            new BusSignal("JobRemoved", "uos", ["id", "job", "result"]),
            new BusSignal("GateChanged", "sbs", ["gate", "open", "reason"]),
        ]);

    private static DaemonSnapshot View(BusCall call) => ((Node<DaemonSnapshot>)call.State!).View;

    private static void Named(BusCall call, Action<PatchName> post, bool options)
    {
        var text = call.Reader.ReadString(MaxName);
        if (options && UnknownOption(call.Reader.ReadOptions()) is { } unknown)
            call.ReplyError(BusErrors.InvalidArgument, $"this version knows no option \"{unknown}\"");
        else if (PatchName.TryParse(text) is { } name)
            post(name);
        else
            call.ReplyError(BusErrors.InvalidArgument, NameRule);
    }

    /// <summary>As far as is known now; whoever finds no report asks again a moment later.</summary>
    private static void Blocking(BusCall call, Action? asked, bool tasks)
    {
        asked?.Invoke();
        var view = View(call);
        call.Reply(w => w.WriteString(BlockingJson.Write(view.Blocking, view.At, tasks)));
    }

    /// <summary>The detail of a patch as it stands in the log, lines of the kernel included.</summary>
    private static void Evidence(BusCall call)
    {
        var text = call.Reader.ReadString(MaxName);
        if (PatchName.TryParse(text) is not { } name)
            call.ReplyError(BusErrors.InvalidArgument, NameRule);
        else if (View(call).Patches.FirstOrDefault(p => p.Name == name) is { } patch)
            call.Reply(w => w.WriteString(patch.Detail));
        else
            call.ReplyError(BusErrors.NoSuchPatch, $"no patch {name}");
    }

    private static void Force(BusCall call, Action<Command> post)
    {
        var text = call.Reader.ReadString(MaxName);
        var token = call.Reader.ReadString(MaxToken);
        if (PatchName.TryParse(text) is { } name)
            post(new Command.Force(call, name, token));
        else
            call.ReplyError(BusErrors.InvalidArgument, NameRule);
    }

    /// <summary>0 while it is not known. It changes with every pass over the tasks, which is no news to anybody who does not ask.</summary>
    private static ServedProperty<DaemonSnapshot> Tasks(string name, Func<BlockerReport, int> get) =>
        ServedProperty<DaemonSnapshot>.UInt32(name, s => s.Blocking?.Report is { } report ? (uint)get(report) : 0) with { Announced = false };

    /// <summary>Of all patches when the name is empty; a patch that nothing is known of has an empty history.</summary>
    private static void History(BusCall call)
    {
        var text = call.Reader.ReadString(MaxName);
        var name = PatchName.TryParse(text);
        if (text.Length > 0 && name is null)
            call.ReplyError(BusErrors.InvalidArgument, NameRule);
        else
            call.Reply(w => w.WriteString(HistoryJson.Write(View(call).History, name)));
    }

    /// <param name="apply">Its options are more than those of a revert.</param>
    private static void Change(BusCall call, bool apply, Action<PatchName, ChangeOptions> post)
    {
        var text = call.Reader.ReadString(MaxName);
        var (options, wrong) = ChangeOptions.Read(call.Reader.ReadOptions(), apply);
        if (wrong is not null)
            call.ReplyError(BusErrors.InvalidArgument, wrong);
        else if (PatchName.TryParse(text) is not { } name)
            call.ReplyError(BusErrors.InvalidArgument, NameRule);
        else
            post(name, options);
    }

    private static void Stage(BusCall call, Action<Command> post)
    {
        var file = call.Reader.ReadFd();
        var name = call.Reader.ReadString(MaxName);
        if (UnknownOption(call.Reader.ReadOptions()) is { } unknown)
        {
            file.Dispose();
            call.ReplyError(BusErrors.InvalidArgument, $"this version knows no option \"{unknown}\"");
            return;
        }
        post(new Command.Stage(call, file, name));
    }

    private static void StageFiles(BusCall call, Action<Command> post)
    {
        var files = call.Reader.ReadArray("(hs)", static r => r.ReadStruct("hs", static s => new StagedFile(s.ReadFd(), s.ReadString(MaxName))), MaxStaged);
        var wrong = files.Count == 0 ? "files is empty"
            : UnknownOption(call.Reader.ReadOptions()) is { } unknown ? $"this version knows no option \"{unknown}\""
            : null;
        if (wrong is null)
        {
            post(new Command.Stage(call, files[0].File, files[0].FileName) { Beside = [.. files.Skip(1)] });
            return;
        }
        files.ForEach(static f => f.File.Dispose());
        call.ReplyError(BusErrors.InvalidArgument, wrong);
    }

    private static void PlanFile(BusCall call, Action<Command> post)
    {
        var file = call.Reader.ReadFd();
        post(new Command.PlanFile(call, file, call.Reader.ReadString(MaxName)));
    }

    private static void Hold(BusCall call, Action<Command> post)
    {
        var why = Words(call);
        var usec = call.Reader.ReadUInt64();
        if (why is null)
            call.ReplyError(BusErrors.InvalidArgument, NoWords);
        else if (Wire.Moment(usec) is not { } until)
            call.ReplyError(BusErrors.InvalidArgument, "until_usec is no moment in microseconds since 1970");
        else
            post(new Command.Hold(call, why, usec == 0 ? null : until, Uid(call)));
    }

    private static void Inhibit(BusCall call, Action<Command> post)
    {
        if (Words(call) is { } who && Words(call) is { } why)
            post(new Command.Inhibit(call, who, why, Uid(call)));
        else
            call.ReplyError(BusErrors.InvalidArgument, NoWords);
    }

    /// <summary>One line for people; null when there is nothing in it.</summary>
    private static string? Words(BusCall call) =>
        Printable.Line(call.Reader.ReadString(MaxWords).Trim(), MaxWords) is { Length: > 0 } words ? words : null;

    private static uint Uid(BusCall call) => call.SenderUid ?? uint.MaxValue;

    /// <summary>An option that is not understood must not be taken for granted.</summary>
    private static string? UnknownOption(Dictionary<string, object> options) => options.Keys.FirstOrDefault();

    private static void ListPatches(BusCall call)
    {
        var patches = View(call).Patches;
        call.Reply(w => w.WriteArray("(sssso)", patches, static (a, p) => a.WriteStruct("sssso", s =>
        {
            s.WriteString(p.Name.Value);
            s.WriteString(p.State.Word());
            s.WriteString(p.Reason?.Word() ?? "");
            s.WriteString(p.Digest?.Hex ?? "");
            s.WriteObjectPath(PatchInterface.PathOf(p.Name));
        })));
    }

    private static void WriteConditions(BusWriter writer, DaemonSnapshot snapshot) =>
        Wire.Pairs(writer, snapshot.Host.Conditions.Select(static c => (c.Reason.Word(), c.Detail)));

    private static void WriteHolds(BusWriter writer, DaemonSnapshot snapshot) =>
        writer.WriteArray("(sst)", snapshot.Holds, static (w, h) => w.WriteStruct("sst", s =>
        {
            s.WriteString(h.Patch.Value);
            s.WriteString(h.Reason.Word());
            s.WriteUInt64(Wire.Usec(h.RetryAt));
        }));

    private static void WriteInhibitors(BusWriter writer, DaemonSnapshot snapshot) =>
        writer.WriteArray("(ssut)", snapshot.Gates.Inhibitors, static (w, i) => w.WriteStruct("ssut", s =>
        {
            s.WriteString(i.Who);
            s.WriteString(i.Why);
            s.WriteUInt32(i.Uid);
            s.WriteUInt64(Wire.Usec(i.Since));
        }));

    private static void WriteRefused(BusWriter writer, DaemonSnapshot snapshot) =>
        writer.WriteArray("(sss)", snapshot.Refused, static (w, r) => w.WriteStruct("sss", s =>
        {
            s.WriteString(r.Path);
            s.WriteString(r.Reason.Word());
            s.WriteString(r.Detail);
        }));
}
