// A bus connection of another user: the kernel takes a socket's credentials from the thread that connects it.
using System.Runtime.InteropServices;
using LivePatchd.Bus;

namespace LivePatchd.EndToEnd.Tests;

internal static partial class UserClient
{
    public const uint Nobody = 65534;

    /// <summary>Like nobody it is in every system's list of users, and dbus-daemon lets in no others.</summary>
    public const uint Daemon = 1;

    public static BusClient Connect(PrivateBus bus, uint uid)
    {
        var client = Run(uid, () => BusClient.Connect(BusAddress.At(bus.Address)));
        Assert.True(client.IsOk, client.Error?.ToString());
        return client.Value!;
    }

    /// <summary>On a thread that is this user while it lasts.</summary>
    public static T Run<T>(uint uid, Func<T> action)
    {
        T result = default!;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Become(uid);
                result = action();
                Become(0);
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        Assert.True(thread.Join(Limit.Call), "no connection in time");
        Assert.Null(failure);
        return result;
    }

    /// <summary>The system call itself, which is for one thread; glibc's function would be for all.</summary>
    private static void Become(uint uid)
    {
        nint setresuid = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 147 : 117;
        Assert.Equal(0, syscall(setresuid, -1, (nint)uid, -1));
    }

    [LibraryImport("libc")]
    private static partial nint syscall(nint number, nint real, nint effective, nint saved);
}
