// A bus for all tests of the project, started by the first that needs it, and calls on it that a test answers: real ones, with a real caller.
using System.Collections.Concurrent;
using LivePatchd.Bus;
using LivePatchd.EndToEnd.Tests;
using Microsoft.Win32.SafeHandles;

[assembly: AssemblyFixture(typeof(LivePatchd.Tests.SharedBus))]

namespace LivePatchd.Tests;

/// <param name="Call">As the daemon's classes get it; its caller is root, and known.</param>
/// <param name="Answer">What the caller hears.</param>
internal sealed record Asked<T>(BusCall Call, Task<BusResult<T>> Answer)
{
    /// <summary>The caller has heard nothing yet.</summary>
    public bool IsOpen => !Answer.IsCompleted;

    public T Value => BusView.Value(Wait());

    public (string Name, string Message) Error
    {
        get
        {
            var answer = Wait();
            Assert.False(answer.IsOk, $"answered with {answer.Value}");
            return (answer.Error!.Name, answer.Error.Message);
        }
    }

    private BusResult<T> Wait()
    {
        Assert.True(Answer.Wait(Limit.Call), "no answer");
        return Answer.Result;
    }
}

public sealed class SharedBus : IDisposable
{
    private const string Service = "org.livepatchd1.Tests";
    private const string Path = "/org/livepatchd1/tests";

    private readonly ConcurrentDictionary<string, TaskCompletionSource<BusCall>> waiting = new(StringComparer.Ordinal);
    private readonly Lazy<Running> running;
    private int asked;

    public SharedBus() => running = new Lazy<Running>(() => new Running(Take));

    internal string Address => running.Value.Bus.Address;

    internal PrivateBus Bus => running.Value.Bus;

    /// <summary>A call that is answered with nothing.</summary>
    internal Asked<bool> Ask() => Ask("Nothing", "", static _ => true);

    /// <summary>A call that is answered with the path of an object.</summary>
    internal Asked<string> AskForPath() => Ask("Path", "o", static r => r.ReadObjectPath());

    internal Asked<string> AskForText() => Ask("Text", "s", static r => r.ReadString());

    internal Asked<SafeFileHandle> AskForFd() => Ask("Fd", "h", static r => r.ReadFd());

    public void Dispose()
    {
        if (running.IsValueCreated)
            running.Value.Dispose();
    }

    private Asked<T> Ask<T>(string member, string signature, Func<BusReader, T> read)
    {
        var address = BusAddress.At(Address);
        var id = $"{Interlocked.Increment(ref asked)}";
        var taken = waiting[id] = new TaskCompletionSource<BusCall>(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = Task.Factory.StartNew(
            () =>
            {
                using var client = BusView.Value(BusClient.Connect(address));
                return client.Call(Service, Path, Service, member, Limit.Long, w => w.WriteString(id), signature, read);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.True(taken.Task.Wait(Limit.Call), "the call did not arrive");
        return new Asked<T>(taken.Task.Result, answer);
    }

    private void Take(BusCall call)
    {
        var id = call.Reader.ReadString();
        call.FindSenderUid(Limit.Call, found =>
        {
            Assert.True(found);
            waiting[id].SetResult(call);
        });
    }

    private sealed class Running : IDisposable
    {
        private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("lp-unit-bus-");
        private readonly BusServer server;

        public Running(Action<BusCall> take)
        {
            Bus = new PrivateBus(directory.FullName);
            Bus.Start();
            var calls = new BusInterface(
                Service,
                [
                    new BusMethod("Nothing", "s", ["id"], "", [], take),
                    new BusMethod("Path", "s", ["id"], "o", ["path"], take),
                    new BusMethod("Text", "s", ["id"], "s", ["text"], take),
                    new BusMethod("Fd", "s", ["id"], "h", ["fd"], take),
                ],
                [], []);
            server = BusView.Value(BusServer.Open(BusAddress.At(Bus.Address), Service, s => s.AddObject(Path, calls)));
        }

        public PrivateBus Bus { get; }

        public void Dispose()
        {
            server.Dispose();
            Bus.Dispose();
            directory.Delete(recursive: true);
        }
    }
}
