// A private memory mapping for file contents: large, short-lived, and given back to the system at once.
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Native;

/// <summary>The garbage collector would keep arrays of this size for long; pages that are never touched cost nothing here.</summary>
internal sealed unsafe class NativeBuffer : IDisposable
{
    private readonly nuint mapped;
    private byte* start;

    private NativeBuffer(byte* start, int capacity, nuint mapped)
    {
        this.start = start;
        this.mapped = mapped;
        Capacity = capacity;
    }

    internal int Capacity { get; }

    /// <summary>How many bytes are in use: set by whoever filled it.</summary>
    internal int Length { get; set; }

    internal Span<byte> All => new(start, Capacity);

    internal ReadOnlySpan<byte> Content => new(start, Length);

    internal static SysResult<NativeBuffer> Allocate(int capacity)
    {
        var size = (nuint)Math.Max(capacity, 1);
        var address = LibC.mmap(0, size, LibC.ProtRead | LibC.ProtWrite, LibC.MapPrivate | LibC.MapAnonymous, -1, 0);
        return address == -1
            ? Sys.Fail<NativeBuffer>("mmap")
            : SysResult.Ok(new NativeBuffer((byte*)address, capacity, size));
    }

    public void Dispose()
    {
        if (start == null)
            return;
        _ = LibC.munmap((nint)start, mapped);
        start = null;
    }
}
