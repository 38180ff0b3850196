// Unix signals that arrive during a call: a resized terminal, a pausing runtime. None of them may lose the answer.
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Tests;

public sealed partial class SignalTests(TestBus bus)
{
    private const int WindowChanged = 28; // SIGWINCH

    [Fact]
    public void A_signal_in_the_middle_of_a_call_does_not_lose_the_answer()
    {
        using var handled = PosixSignalRegistration.Create(PosixSignal.SIGWINCH, static signal => signal.Cancel = true);
        var sample = new Sample();
        var name = $"org.example.Signals.N{Guid.NewGuid():N}";
        using var server = bus.Serve(name, s => s.AddObject(Sample.Path, Sample.Interface, sample));
        using var client = bus.Connect();
        var caller = 0;
        BusResult<string> answer = default;
        var thread = new Thread(() =>
        {
            Volatile.Write(ref caller, gettid());
            answer = client.Call(name, Sample.Path, Sample.InterfaceName, "Keep", Sample.Limit, null, "s", static r => r.ReadString());
        });
        thread.Start();
        SpinWait.SpinUntil(() => !sample.Kept.IsEmpty, Sample.Limit);
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(0, tgkill(Environment.ProcessId, Volatile.Read(ref caller), WindowChanged));
            Thread.Yield();
        }
        Assert.True(sample.Kept.TryDequeue(out var call));
        call.Reply(static w => w.WriteString("kept"));
        Assert.True(thread.Join(Sample.Limit));
        Assert.Equal("kept", answer.Value);
        Assert.Null(answer.Error);
    }

    [LibraryImport("libc")]
    private static partial int gettid();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tgkill(int process, int thread, int signal);
}
