// The kernel as a crash host has it: read from the root's files, acted on in the parent, so that a kill does not take it along.
using System.Net.Sockets;
using LivePatchd.Core.Model;
using LivePatchd.Linux;
using LivePatchd.Linux.Kernel;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.CrashHost;

internal sealed class RemoteKernel : IKernel, IDisposable
{
    private readonly LinuxKernel reader;
    private readonly Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly NetworkStream stream;
    private readonly BinaryReader answers;
    private readonly Lock gate = new();

    public RemoteKernel(SystemRoot root, string path)
    {
        reader = new LinuxKernel(root);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        stream = new NetworkStream(socket);
        answers = KernelWire.Reader(stream);
    }

    public ObservedState Observe(IReadOnlyCollection<PatchName> alsoModules) => reader.Observe(alsoModules);

    public bool TellsStackOrder(PatchName name) => reader.TellsStackOrder(name);

    public IReadOnlyDictionary<PatchName, int> StackOrders(IReadOnlyCollection<PatchName> names) => reader.StackOrders(names);

    public SysResult Load(SafeFileHandle module)
    {
        using var copy = new MemoryStream();
        // The handle stays the caller's own.
        using (var file = new FileStream(new SafeFileHandle(module.DangerousGetHandle(), ownsHandle: false), FileAccess.Read, bufferSize: 0))
            file.CopyTo(copy);
        return Ask(KernelCall.Load, "", copy.ToArray(), "finit_module");
    }

    public SysResult SetEnabled(PatchName name, bool enabled) => Ask(enabled ? KernelCall.Enable : KernelCall.Disable, name.Value, [], "write");

    public SysResult Force(PatchName name) => Ask(KernelCall.Force, name.Value, [], "write");

    public SysResult Unload(PatchName name) => Ask(KernelCall.Unload, name.Value, [], "delete_module");

    /// <summary>The last words of this process.</summary>
    public void Dying(string failpoint) => KernelWire.Ask(stream, KernelCall.Dying, failpoint, []);

    public void Dispose()
    {
        answers.Dispose();
        stream.Dispose();
        socket.Dispose();
    }

    private SysResult Ask(KernelCall call, string name, byte[] image, string system)
    {
        lock (gate)
        {
            KernelWire.Ask(stream, call, name, image);
            var errno = (Errno)answers.ReadInt32();
            return errno == Errno.None ? SysResult.Success : SysResult.Fail(errno, system);
        }
    }
}
