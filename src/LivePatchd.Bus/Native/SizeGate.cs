// Looks at the head of each message while it still lies in the socket, and lets none through to sd-bus that is larger than any of ours.
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace LivePatchd.Bus.Native;

/// <summary>
/// sd-bus reads a message of up to 128 MiB into memory before it asks whom it is for, and its answer to an unknown name repeats that name. The
/// kernel keeps the position up to which the socket was peeked at, counted from what is unread (SO_PEEK_OFF): set to the end of a message that is
/// let through, it is back at 0 when sd-bus has read exactly that message, which is where the next head begins.
/// </summary>
internal sealed class SizeGate
{
    /// <summary>Of calls and signals, which anybody can send. Answers are only let through by the bus when they were asked for.</summary>
    internal const int MaxBytes = 2 << 20;

    internal enum Passage
    {
        Clear,
        Held,
        Empty,
    }

    private const int HeadBytes = 16;
    private const int MaxShortHeads = 1000;
    private const byte MethodCall = 1;
    private const byte Signal = 4;

    private readonly int _fd;
    private readonly byte[] _scratch = new byte[1 << 16];
    private bool _works;
    private long _toDrop;
    private int _shortHeads;

    /// <summary>Between two messages only, as after the bus has said hello.</summary>
    internal SizeGate(BusHandle bus)
    {
        _fd = SdBus.sd_bus_get_fd(bus);
        // Where the kernel does not keep it for sockets, messages are judged by the filter behind, when they have been read.
        _works = _fd >= 0 && SetPosition(0);
    }

    /// <summary>Messages that were dropped unread.</summary>
    internal long Dropped { get; private set; }

    /// <summary>
    /// Held while the rest of a message that is dropped, or of a head, has not come yet: sd-bus must not read then. Empty while nothing is there: what comes
    /// while sd-bus reads would not have been looked at, and the place of the next head would be lost.
    /// </summary>
    internal Passage Look()
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        while (_works)
        {
            if (_toDrop > 0)
            {
                if (!Drop())
                {
                    return Passage.Held;
                }

                continue;
            }

            if (Position() > 0)
            {
                return Passage.Clear;
            }

            var count = Receive(head, LibC.MessagePeek);
            if (count < HeadBytes)
            {
                var nothing = count < 0 && Marshal.GetLastPInvokeError() is BusErrno.TryAgain or BusErrno.Interrupted;
                _ = SetPosition(0);
                // The end of the stream, which sd-bus finds out by itself; or the bus is in the middle of a write.
                return nothing ? Passage.Empty : count <= 0 || !IsWorthWaiting() ? Passage.Clear : Passage.Held;
            }

            _shortHeads = 0;
            var total = Total(head);
            if (head[1] is not (MethodCall or Signal) || total <= MaxBytes)
            {
                _works = SetPosition((int)Math.Min(total, int.MaxValue));
                return Passage.Clear;
            }

            _works = SetPosition(0);
            _toDrop = total;
            Dropped++;
        }

        return Passage.Clear;
    }

    internal static long Total(ReadOnlySpan<byte> head)
    {
        var little = head[0] == 'l';
        long body = little ? BinaryPrimitives.ReadUInt32LittleEndian(head[4..]) : BinaryPrimitives.ReadUInt32BigEndian(head[4..]);
        long fields = little ? BinaryPrimitives.ReadUInt32LittleEndian(head[12..]) : BinaryPrimitives.ReadUInt32BigEndian(head[12..]);
        return HeadBytes + ((fields + 7) & ~7L) + body;
    }

    /// <summary>For a millisecond: the socket counts as readable meanwhile.</summary>
    private unsafe bool IsWorthWaiting()
    {
        _works = ++_shortHeads < MaxShortHeads;
        _ = LibC.poll(null, 0, 1);
        return _works;
    }

    /// <summary>Reads on, into nothing; file descriptors that came along are closed by the kernel. False when the rest is not there yet.</summary>
    private bool Drop()
    {
        var count = Receive(_scratch.AsSpan(0, (int)Math.Min(_toDrop, _scratch.Length)), 0);
        if (count > 0)
        {
            _toDrop -= count;
            return true;
        }

        if (count < 0 && Marshal.GetLastPInvokeError() is BusErrno.TryAgain or BusErrno.Interrupted)
        {
            return false;
        }

        // The connection has ended; sd-bus finds out.
        _works = false;
        return true;
    }

    private unsafe int Receive(Span<byte> into, int flags)
    {
        fixed (byte* bytes = into)
        {
            return (int)LibC.recv(_fd, bytes, into.Length, flags | LibC.MessageDoNotWait);
        }
    }

    private int Position()
    {
        var length = sizeof(int);
        return LibC.getsockopt(_fd, LibC.SocketLevel, LibC.PeekOffset, out var position, ref length) == 0 ? position : 0;
    }

    private bool SetPosition(int position) => LibC.setsockopt(_fd, LibC.SocketLevel, LibC.PeekOffset, ref position, sizeof(int)) == 0;
}
