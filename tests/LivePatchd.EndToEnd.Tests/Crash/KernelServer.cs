// The kernel of hosts that crash: it lives here, takes one whole request at a time, and knows where a host said it would die.
using System.Collections.Concurrent;
using System.Net.Sockets;
using LivePatchd.Core.Model;
using LivePatchd.CrashHost;

namespace LivePatchd.EndToEnd.Tests.Crash;

internal sealed class KernelServer : IDisposable
{
    private readonly TestKernel kernel;
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly ConcurrentQueue<string> deaths = [];
    private readonly ConcurrentQueue<Task> served = [];

    public KernelServer(TestKernel kernel, string path)
    {
        this.kernel = kernel;
        Path = path;
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        new Thread(Accept) { IsBackground = true, Name = "kernel of crash hosts" }.Start();
    }

    public string Path { get; }

    /// <summary>After a process was killed: where it died, or null when it did not say. Its last words may still be on their way.</summary>
    public async Task<string?> TakeDeath()
    {
        string? name = null;
        using var limit = new CancellationTokenSource(Limit.Call);
        while (!deaths.TryDequeue(out name) && !limit.IsCancellationRequested)
            await Task.Delay(2, CancellationToken.None);
        while (served.TryDequeue(out var task))
            await task;
        return name;
    }

    public void Dispose() => listener.Dispose();

    private void Accept()
    {
        try
        {
            while (true)
            {
                var socket = listener.Accept();
                served.Enqueue(Task.Factory.StartNew(() => Serve(socket), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The run is over.
        }
    }

    private void Serve(Socket socket)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        using var reader = KernelWire.Reader(stream);
        try
        {
            while (true)
            {
                var (call, name, image) = KernelWire.Take(reader);
                if (call == KernelCall.Dying)
                    deaths.Enqueue(name);
                else
                    TryAnswer(stream, Do(call, name, image));
            }
        }
        catch (IOException)
        {
            // The host is gone; what it had asked for whole has been done.
        }
    }

    /// <summary>A host that died while its call was inside the kernel does not hear the answer; its last words may be behind the call.</summary>
    private static void TryAnswer(Stream stream, Errno errno)
    {
        try
        {
            KernelWire.Answer(stream, errno);
        }
        catch (IOException)
        {
            // The next read tells whether anything is left.
        }
    }

    private Errno Do(KernelCall call, string name, byte[] image) => (call switch
    {
        KernelCall.Load => kernel.Load(image),
        KernelCall.Enable => kernel.SetEnabled(PatchName.Parse(name), true),
        KernelCall.Disable => kernel.SetEnabled(PatchName.Parse(name), false),
        KernelCall.Force => kernel.Force(PatchName.Parse(name)),
        KernelCall.Unload => kernel.Unload(PatchName.Parse(name)),
        _ => throw new InvalidOperationException("closed set"),
    }).Errno;
}
