// The daemon's own interfaces behind its own authorizer on a private bus; a handler that runs answers with the error Ran, or from an empty snapshot.
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Loop;
using LivePatchd.Publish;

namespace LivePatchd.EndToEnd.Tests;

internal sealed class GuardedService : IDisposable
{
    public const string ApplyJob = BusNames.JobPrefix + "/1";
    public const string RevertJob = BusNames.JobPrefix + "/2";
    private const string Ran = BusNames.ErrorPrefix + "Ran";

    /// <summary>Guarded methods that change nothing and are answered at once, out of the snapshot.</summary>
    public static readonly string[] Readers = ["BlockingTasks", "Evidence"];

    private static readonly DaemonSnapshot Nothing = new(
        new HostView("1", "6.12.0", "enforce", "running", null, null, null, null, 1, [], [], 0),
        [], [], [], [], new GatesView(null, "", null, [], null, []), null, "{}", [], new Instant(TimeSpan.Zero, DateTimeOffset.UnixEpoch));

    private readonly string directory = Directory.CreateTempSubdirectory("lp-guard-").FullName;
    private readonly BusServer server;
    private readonly ManagerInterface manager;
    private readonly JobInterface job;

    public GuardedService()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can call as somebody else");
        TestHost.Mode(directory, "755");
        Bus = new PrivateBus(directory);
        Bus.Start();
        var authorizer = new Authorizer();
        manager = new ManagerInterface(Take, authorizer);
        job = new JobInterface(Take, authorizer);
        var opened = BusServer.Open(BusAddress.At(Bus.Address), BusNames.Service, s =>
        {
            s.Faulted += Faults.Enqueue;
            s.AddObject(BusNames.ManagerPath, manager.Interface, new Node<DaemonSnapshot>(Nothing));
            s.AddObject(ApplyJob, job.Interface, Job(1, "apply"));
            s.AddObject(RevertJob, job.Interface, Job(2, "revert"));
        });
        Assert.True(opened.IsOk, opened.Error?.ToString());
        server = opened.Value!;
    }

    public PrivateBus Bus { get; }

    public bool IsOpen => server.IsOpen;

    public ConcurrentQueue<Command> Commands { get; } = [];

    public ConcurrentQueue<Exception> Faults { get; } = [];

    /// <summary>Every method that is not for everybody, with an object to call it on.</summary>
    public IEnumerable<(string Path, string Interface, BusMethod Method)> Guarded =>
        manager.Interface.Methods.Select(m => (BusNames.ManagerPath, BusNames.Manager, m))
            .Concat(job.Interface.Methods.Select(m => (ApplyJob, BusNames.Job, m)))
            .Where(m => !AccessTable.IsForEverybody(m.Item2, m.m.Name));

    public BusClient As(uint uid, bool interact = false)
    {
        var client = UserClient.Connect(Bus, uid);
        if (interact)
            client.AllowInteraction();
        return client;
    }

    /// <returns>The error's last word: Ran, or why not.</returns>
    public static string Call(BusClient client, string path, string iface, string method, string signature, params string[] options)
    {
        using var nothing = File.OpenHandle("/dev/null");
        var result = client.Call(BusNames.Service, path, iface, method, Limit.Call, w => Write(w, signature, options, nothing), Readers.Contains(method) ? "s" : "", static _ => true);
        // The snapshot has no patch.
        return result.IsOk || result.Error.Name == BusErrors.NoSuchPatch ? "Ran" : result.Error.Name[(result.Error.Name.LastIndexOf('.') + 1)..];
    }

    public static string Apply(BusClient client, params string[] options) => Change(client, "Apply", options);

    public static string Change(BusClient client, string method, params string[] options) =>
        Call(client, BusNames.ManagerPath, BusNames.Manager, method, "sa{sv}", options);

    public static string Reload(BusClient client) => Call(client, BusNames.ManagerPath, BusNames.Manager, "Reload", "");

    public void Dispose()
    {
        server.Dispose();
        Bus.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static Node<JobView> Job(uint id, string kind) => new(new JobView(id, kind, PatchName.TryParse("lp_one")!.Value, "waiting", ""));

    private static void Write(BusWriter writer, string signature, string[] options, SafeHandle nothing)
    {
        foreach (var type in signature.Replace("a{sv}", "O", StringComparison.Ordinal).Replace("a(hs)", "F", StringComparison.Ordinal))
        {
            switch (type)
            {
                case 's': writer.WriteString("lp_one"); break;
                case 't': writer.WriteUInt64(0); break;
                case 'b': writer.WriteBool(true); break;
                case 'h': writer.WriteFd(nothing); break;
                case 'F':
                    writer.WriteArray("(hs)", new[] { "lp_one.ko" }, (a, file) => a.WriteStruct("hs", s =>
                    {
                        s.WriteFd(nothing);
                        s.WriteString(file);
                    }));
                    break;
                case 'O': writer.WriteOptions(options.Select(o => KeyValuePair.Create<string, object>(o, true))); break;
                default: throw new NotSupportedException($"an argument of type {type}");
            }
        }
    }

    private void Take(Command command)
    {
        Commands.Enqueue(command);
        (command as Command.Stage)?.File.Dispose();
        command.Call!.ReplyError(Ran, "");
    }
}
