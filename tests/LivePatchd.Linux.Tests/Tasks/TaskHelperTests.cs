// The helper and the daemon's side of it over a socket, on a tree that stands for /proc.
using System.Net.Sockets;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Tasks;

namespace LivePatchd.Linux.Tests.Tasks;

public sealed class TaskHelperTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly FakeRoot host = new();
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);

    public TaskHelperTests() => host.MakeDirectory("/run");

    public void Dispose()
    {
        listener.Dispose();
        host.Dispose();
    }

    [Fact]
    public async Task Stack_OfATask_IsItsText()
    {
        const string Stack = "[<0>] schedule+0x1/0x2\n[<0>] vfs_read+0x1/0x2\n";
        host.Write("/proc/11/stack", Stack);
        var served = Serve();
        var text = new byte[TaskHelper.MaxText];
        using (var questions = new TaskQuestions(host.Root))
        {
            Assert.Equal(Stack, Encoding.ASCII.GetString(text, 0, questions.Stack(11, text)));
            Assert.Equal(-(int)Errno.ENOENT, questions.Stack(12, text));
            Assert.Equal(Stack.Length, questions.Stack(11, text));
            Assert.Equal(5, questions.Stack(11, text.AsSpan(0, 5)));
        }
        await served.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Links_OfAHolder_AreNamedByTrampoline()
    {
        host.MakeDirectory("/proc/77/fd");
        File.CreateSymbolicLink(host.Root.Path("/proc/77/fd/5"), "anon_inode:bpf_link");
        host.Write("/proc/77/comm", "bpftrace\n");
        host.Write("/proc/77/fdinfo/5", "link_type:\ttracing\nprog_id:\t9\ntarget_obj_id:\t1\ntarget_btf_id:\t2\n");
        var served = Serve();
        using (var questions = new TaskQuestions(host.Root))
            Assert.Equal("program 9 of bpftrace (pid 77)", Assert.Single(questions.Links()).Value);
        await served.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1/../1")]
    [InlineData("self")]
    [InlineData("bpf-links\n")]
    [InlineData("2147483648")]
    [InlineData("11111111111111111")]
    public async Task Question_ThatIsNone_EndsTheHelper(string question)
    {
        host.Write("/proc/1/stack", "secret");
        var served = Serve();
        using var peer = Connect();
        peer.Send(Encoding.ASCII.GetBytes(question));
        Assert.Equal(0, peer.Receive(new byte[64]));
        await served.WaitAsync(Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void Stack_WithoutAHelper_IsRefusedAndAskedForOnce()
    {
        using var questions = new TaskQuestions(host.Root);
        Assert.True(questions.Stack(1, new byte[8]) < 0);
        Assert.Empty(questions.Links());
    }

    [Fact]
    public void Stack_FromAHelperThatATaskHolds_IsGivenUpAndTheNextIsAsked()
    {
        listener.Bind(new UnixDomainSocketEndPoint(host.Root.Path(TaskHelper.SocketPath)));
        listener.Listen(8);
        using var questions = new TaskQuestions(host.Root);
        for (var late = 0; late < 3; late++)
        {
            Assert.Equal(-(int)Errno.ETIMEDOUT, questions.Stack(1, new byte[8]));
            // Each time another connection.
            using var held = listener.Accept();
        }
        Assert.Equal(-(int)Errno.ETIMEDOUT, questions.Stack(1, new byte[8]));
        Assert.False(listener.Poll(0, SelectMode.SelectRead));
    }

    private Task Serve()
    {
        listener.Bind(new UnixDomainSocketEndPoint(host.Root.Path(TaskHelper.SocketPath)));
        listener.Listen(8);
        return Task.Run(() =>
        {
            using var connection = listener.Accept();
            TaskHelper.Serve(connection, host.Root);
        });
    }

    private Socket Connect()
    {
        var peer = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
        peer.Connect(new UnixDomainSocketEndPoint(host.Root.Path(TaskHelper.SocketPath)));
        return peer;
    }
}
