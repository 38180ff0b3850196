// File descriptors over the bus: both ends own their own, nothing leaks, and nothing lands on a standard stream.
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Bus.Tests;

public sealed class FdTests(TestBus bus)
{
    private const string Name = "org.example.Fds";
    private const string Path = "/org/example/fds";
    private const string InterfaceName = "org.example.Fds1";

    private static readonly BusInterface Interface = new(
        InterfaceName,
        [
            new("Read", "h", ["file"], "s", ["content"], static call =>
            {
                using var file = call.Reader.ReadFd();
                var content = new byte[100];
                var length = RandomAccess.Read(file, content, 0);
                call.Reply(w => w.WriteString(System.Text.Encoding.UTF8.GetString(content, 0, length)));
            }),
            new("Open", "s", ["path"], "h", ["file"], static call =>
            {
                using var file = File.OpenHandle(call.Reader.ReadString());
                call.Reply(w => w.WriteFd(file));
            }),
            new("Ignore", "h", ["file"], "", [], static call => call.Reply()),
        ],
        [],
        []);

    [Fact]
    public void A_file_goes_to_the_server_and_comes_from_it()
    {
        using var server = bus.Serve(Name, s => s.AddObject(Path, Interface));
        using var client = bus.Connect();
        var path = System.IO.Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "through the bus");
            using (var file = File.OpenHandle(path))
            {
                var content = client.Call(Name, Path, InterfaceName, "Read", Sample.Limit, w => w.WriteFd(file), "s", r => r.ReadString());
                Assert.Equal("through the bus", content.Value);
                Assert.False(file.IsClosed);
            }

            var opened = client.Call(Name, Path, InterfaceName, "Open", Sample.Limit, w => w.WriteString(path), "h", r => r.ReadFd());
            using var received = Assert.IsType<SafeFileHandle>(opened.Value);
            Assert.True(received.DangerousGetHandle() > 2);
            Assert.Equal("through the bus".Length, RandomAccess.GetLength(received));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_closed_handle_is_the_callers_bug()
    {
        using var client = bus.Connect();
        var closed = new BusWake();
        closed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => client.Call(Name, Path, InterfaceName, "Ignore", Sample.Limit, w => w.WriteFd(closed)));
    }
}
