// Keeps Unix signals from the calling thread while libsystemd waits inside a call: interrupted, it gives up an answer that is under way.

namespace LivePatchd.Bus.Native;

/// <summary>The process's other threads take the signals meanwhile; one meant for this thread alone waits until the end of the block.</summary>
internal unsafe ref struct SignalBlock
{
    private const int Words = 16; // sigset_t has 1024 bits
    private fixed ulong _before[Words];

    public static SignalBlock Enter()
    {
        var block = default(SignalBlock);
        var every = stackalloc ulong[Words];
        new Span<ulong>(every, Words).Fill(ulong.MaxValue);
        _ = LibC.pthread_sigmask(LibC.SignalBlock, every, block._before);
        return block;
    }

    public void Dispose()
    {
        fixed (ulong* before = _before)
        {
            _ = LibC.pthread_sigmask(LibC.SignalSetMask, before, null);
        }
    }
}
