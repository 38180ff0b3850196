// An eventfd that wakes a poll: other threads and signal handlers set it, the waiting loop clears it.
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Bus;

public sealed class BusWake : SafeHandleMinusOneIsInvalid
{
    /// <exception cref="IOException">The process has no file descriptor left.</exception>
    public BusWake()
        : base(ownsHandle: true)
    {
        if (Open() is < 0 and var result)
        {
            throw new IOException($"eventfd: errno {-result}");
        }
    }

    private BusWake(bool ownsHandle)
        : base(ownsHandle)
    {
    }

    /// <summary>The error has the errno: EMFILE or ENFILE.</summary>
    internal static BusResult<BusWake> Make()
    {
        var wake = new BusWake(ownsHandle: true);
        return wake.Open() is < 0 and var result ? NativeError.FromErrno(result) : wake;
    }

    public void Set()
    {
        ulong one = 1;
        // EAGAIN means the counter is full: the loop is as awake as it can be.
        _ = LibC.write(this, ref one, sizeof(ulong));
    }

    internal void Clear()
    {
        ulong count = 0;
        _ = LibC.read(this, ref count, sizeof(ulong));
    }

    /// <summary>A negative errno where it failed.</summary>
    private int Open()
    {
        var fd = LibC.eventfd(0, LibC.EventFdNonBlocking | LibC.EventFdCloseOnExec);
        if (fd < 0)
        {
            return -Marshal.GetLastPInvokeError();
        }

        SetHandle(fd);
        return 0;
    }

    protected override bool ReleaseHandle() => LibC.close((int)handle) == 0;
}
