// Reads a message in order: every basic type, containers and file descriptors; a mismatch never moves the position.
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Bus;

/// <summary>Valid only inside the callback it was handed to.</summary>
public sealed partial class BusReader
{
    private nint _message;

    internal BusReader(nint message) => _message = message;

    private nint Message => _message != 0 ? _message : throw new ObjectDisposedException(nameof(BusReader));

    /// <summary>True at the end of the container that was entered last, or of the message.</summary>
    public bool AtEnd => SdBus.sd_bus_message_at_end(Message, 0) > 0;

    /// <summary>The signature of the whole message.</summary>
    public string Signature => Marshal.PtrToStringUTF8(SdBus.sd_bus_message_get_signature(Message, 1)) ?? "";

    public bool TryReadByte(out byte value) => TryReadBlittable('y', out value);

    public bool TryReadBool(out bool value)
    {
        var read = TryReadBlittable('b', out int word);
        value = word != 0;
        return read;
    }

    public bool TryReadInt16(out short value) => TryReadBlittable('n', out value);

    public bool TryReadUInt16(out ushort value) => TryReadBlittable('q', out value);

    public bool TryReadInt32(out int value) => TryReadBlittable('i', out value);

    public bool TryReadUInt32(out uint value) => TryReadBlittable('u', out value);

    public bool TryReadInt64(out long value) => TryReadBlittable('x', out value);

    public bool TryReadUInt64(out ulong value) => TryReadBlittable('t', out value);

    public bool TryReadDouble(out double value) => TryReadBlittable('d', out value);

    public bool TryReadString([NotNullWhen(true)] out string? value) => TryReadText('s', int.MaxValue, out value);

    /// <summary>Fails, with the position past the string, when its UTF-8 form is longer than the limit.</summary>
    public bool TryReadString(int maxBytes, [NotNullWhen(true)] out string? value) => TryReadText('s', maxBytes, out value);

    public bool TryReadObjectPath([NotNullWhen(true)] out string? value) => TryReadText('o', int.MaxValue, out value);

    public bool TryReadSignature([NotNullWhen(true)] out string? value) => TryReadText('g', int.MaxValue, out value);

    /// <summary>A duplicate that the caller owns; the message keeps its own descriptor.</summary>
    public bool TryReadFd([NotNullWhen(true)] out SafeFileHandle? value)
    {
        value = null;
        if (!TryReadBlittable('h', out int borrowed))
        {
            return false;
        }

        // Never 0..2: a descriptor from outside must not become a standard stream of this process.
        var own = LibC.fcntl(borrowed, LibC.DuplicateCloseOnExec, 3);
        if (own < 0)
        {
            return false;
        }

        value = new SafeFileHandle(own, ownsHandle: true);
        return true;
    }

    public byte ReadByte() => TryReadByte(out var value) ? value : throw Expected("a byte");

    public bool ReadBool() => TryReadBool(out var value) ? value : throw Expected("a boolean");

    public short ReadInt16() => TryReadInt16(out var value) ? value : throw Expected("an int16");

    public ushort ReadUInt16() => TryReadUInt16(out var value) ? value : throw Expected("a uint16");

    public int ReadInt32() => TryReadInt32(out var value) ? value : throw Expected("an int32");

    public uint ReadUInt32() => TryReadUInt32(out var value) ? value : throw Expected("a uint32");

    public long ReadInt64() => TryReadInt64(out var value) ? value : throw Expected("an int64");

    public ulong ReadUInt64() => TryReadUInt64(out var value) ? value : throw Expected("a uint64");

    public double ReadDouble() => TryReadDouble(out var value) ? value : throw Expected("a double");

    public string ReadString() => TryReadString(out var value) ? value : throw Expected("a string");

    public string ReadString(int maxBytes) => TryReadString(maxBytes, out var value) ? value : throw Expected($"a string of at most {maxBytes} bytes");

    public string ReadObjectPath() => TryReadObjectPath(out var value) ? value : throw Expected("an object path");

    public string ReadSignature() => TryReadSignature(out var value) ? value : throw Expected("a signature");

    public SafeFileHandle ReadFd() => TryReadFd(out var value) ? value : throw Expected("a file descriptor");

    internal void Invalidate() => _message = 0;

    private static BusFormatException Expected(string what) => new($"The message does not hold {what} here.");

    private unsafe bool TryReadBlittable<T>(char type, out T value)
        where T : unmanaged
    {
        T read = default;
        var ok = SdBus.sd_bus_message_read_basic(Message, (byte)type, &read) > 0;
        value = ok ? read : default;
        return ok;
    }

    private unsafe bool TryReadText(char type, int maxBytes, [NotNullWhen(true)] out string? value)
    {
        value = null;
        byte* text = null;
        if (SdBus.sd_bus_message_read_basic(Message, (byte)type, &text) <= 0)
        {
            return false;
        }

        var octets = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text);
        if (octets.Length > maxBytes)
        {
            return false;
        }

        value = System.Text.Encoding.UTF8.GetString(octets);
        return true;
    }
}
