// systemd's private socket, as far as one question goes: the handshake, one call, one answer, by the letters of the D-Bus specification.
using System.Net.Sockets;
using System.Text;
using LivePatchd.Linux;

namespace LivePatchd.EndToEnd.Tests;

internal sealed class FakePrivateSocket : IDisposable
{
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    /// <param name="state">What SystemState is.</param>
    public FakePrivateSocket(SystemRoot root, string state)
        : this(root, "SystemState", [1, (byte)'s', 0, 0, .. BitConverter.GetBytes((uint)state.Length), .. Encoding.ASCII.GetBytes(state), 0])
    {
    }

    /// <param name="finished">What FinishTimestampMonotonic is: 0 before the boot's end.</param>
    public FakePrivateSocket(SystemRoot root, ulong finished)
        : this(root, "FinishTimestampMonotonic", [1, (byte)'t', 0, 0, 0, 0, 0, 0, .. BitConverter.GetBytes(finished)])
    {
    }

    private FakePrivateSocket(SystemRoot root, string property, byte[] variant)
    {
        Directory.CreateDirectory(root.Path("/run/systemd"));
        listener.Bind(new UnixDomainSocketEndPoint(root.Path("/run/systemd/private")));
        listener.Listen();
        new Thread(() => Serve(property, variant)) { IsBackground = true, Name = "private socket" }.Start();
    }

    public int Answers { get; private set; }

    public void Dispose() => listener.Dispose();

    private void Serve(string property, byte[] variant)
    {
        try
        {
            using var peer = listener.Accept();
            var said = "";
            while (!said.EndsWith("BEGIN\r\n", StringComparison.Ordinal))
                said += Encoding.ASCII.GetString(Receive(peer));
            var wantsData = said.Contains("DATA\r\n", StringComparison.Ordinal);
            peer.Send(Encoding.ASCII.GetBytes($"{(wantsData ? "DATA\r\n" : "")}OK {new string('a', 32)}\r\n{(said.Contains("NEGOTIATE_UNIX_FD", StringComparison.Ordinal) ? "AGREE_UNIX_FD\r\n" : "")}"));
            var call = Receive(peer);
            Assert.Contains(property, Encoding.ASCII.GetString(call), StringComparison.Ordinal);
            Answers++;
            peer.Send(Reply(BitConverter.ToUInt32(call, 8), variant));
            _ = Receive(peer);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static byte[] Receive(Socket peer)
    {
        var buffer = new byte[4096];
        return buffer[..peer.Receive(buffer)];
    }

    /// <summary>A method return that holds a variant.</summary>
    private static byte[] Reply(uint serial, byte[] body)
    {
        byte[] fields = [5, 1, (byte)'u', 0, .. BitConverter.GetBytes(serial), 8, 1, (byte)'g', 0, 1, (byte)'v', 0];
        return
        [
            (byte)'l', 2, 1, 1, .. BitConverter.GetBytes((uint)body.Length), .. BitConverter.GetBytes(1u), .. BitConverter.GetBytes((uint)fields.Length),
            .. fields, 0, .. body,
        ];
    }
}
