// Writes a message in order: every basic type and file descriptors; a text never fails for the characters it holds.
using System.Runtime.InteropServices;
using System.Text;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

/// <summary>Valid only inside the callback it was handed to.</summary>
public sealed partial class BusWriter
{
    private nint _message;

    internal BusWriter(nint message) => _message = message;

    private nint Message => _message != 0 ? _message : throw new ObjectDisposedException(nameof(BusWriter));

    /// <summary>True while nothing has been written through this writer.</summary>
    internal bool IsEmpty { get; private set; } = true;

    public void WriteByte(byte value) => WriteBlittable('y', value);

    public void WriteBool(bool value) => WriteBlittable('b', value ? 1 : 0);

    public void WriteInt16(short value) => WriteBlittable('n', value);

    public void WriteUInt16(ushort value) => WriteBlittable('q', value);

    public void WriteInt32(int value) => WriteBlittable('i', value);

    public void WriteUInt32(uint value) => WriteBlittable('u', value);

    public void WriteInt64(long value) => WriteBlittable('x', value);

    public void WriteUInt64(ulong value) => WriteBlittable('t', value);

    public void WriteDouble(double value) => WriteBlittable('d', value);

    /// <summary>What D-Bus cannot carry (NUL, unpaired surrogates, noncharacters in older libsystemd) becomes U+FFFD.</summary>
    public void WriteString(string value)
    {
        var result = value.Contains('\0', StringComparison.Ordinal) ? -BusErrno.InvalidArgument : AppendText('s', value);
        if (result == -BusErrno.InvalidArgument)
        {
            result = AppendText('s', Carriable(value));
        }

        Check(result, "s");
    }

    public void WriteObjectPath(string value) => Check(AppendText('o', value), "o");

    public void WriteSignature(string value) => Check(AppendText('g', value), "g");

    /// <summary>sd-bus sends a duplicate; the caller keeps its own descriptor.</summary>
    public unsafe void WriteFd(SafeHandle fd)
    {
        var added = false;
        try
        {
            fd.DangerousAddRef(ref added);
            var number = (int)fd.DangerousGetHandle();
            Check(SdBus.sd_bus_message_append_basic(Message, (byte)'h', &number), "h");
        }
        finally
        {
            if (added)
            {
                fd.DangerousRelease();
            }
        }
    }

    internal void Invalidate() => _message = 0;

    internal static string Carriable(string value)
    {
        var text = new StringBuilder(value.Length);
        foreach (var rune in value.EnumerateRunes())
        {
            var isNoncharacter = rune.Value is >= 0xFDD0 and <= 0xFDEF || (rune.Value & 0xFFFE) == 0xFFFE;
            text.Append(rune.Value == 0 || isNoncharacter ? "\uFFFD" : rune.ToString());
        }

        return text.ToString();
    }

    private void Check(int result, string type)
    {
        IsEmpty = false;
        if (result < 0)
        {
            throw new BusFormatException($"sd-bus refuses a value of type \"{type}\" here: errno {-result}.");
        }
    }

    private unsafe void WriteBlittable<T>(char type, T value)
        where T : unmanaged => Check(SdBus.sd_bus_message_append_basic(Message, (byte)type, &value), type.ToString());

    private unsafe int AppendText(char type, string value)
    {
        const int OnStack = 512;
        var size = Encoding.UTF8.GetMaxByteCount(value.Length) + 1;
        var octets = size <= OnStack ? stackalloc byte[OnStack] : new byte[size];
        octets[Encoding.UTF8.GetBytes(value, octets)] = 0;
        fixed (byte* text = octets)
        {
            return SdBus.sd_bus_message_append_basic(Message, (byte)type, text);
        }
    }
}
