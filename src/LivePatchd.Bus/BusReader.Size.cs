// How much a message holds, told before anybody keeps it.
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

public sealed partial class BusReader
{
    private const int SizeOfFixed = 8;

    /// <summary>
    /// True when what is unread takes no more than so many bytes: texts by their length, everything else and each container by eight. Stops at the
    /// first value that does not fit; nothing can be read after it.
    /// </summary>
    public bool FitsInto(int bytes)
    {
        var left = bytes;
        return Walk(ref left);
    }

    private unsafe bool Walk(ref int left)
    {
        while (!AtEnd)
        {
            if (SdBus.sd_bus_message_peek_type(Message, out var type, out var contents) <= 0)
            {
                throw Expected("a value");
            }

            switch ((char)type)
            {
                case 's' or 'o' or 'g':
                    byte* text = null;
                    if (SdBus.sd_bus_message_read_basic(Message, type, &text) <= 0)
                    {
                        throw Expected("a string");
                    }

                    left -= Math.Min(left, MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text).Length) + 1;
                    break;
                case 'a' or 'r' or 'e' or 'v':
                    left -= SizeOfFixed;
                    Enter((char)type, Marshal.PtrToStringUTF8(contents) ?? "", "a container");
                    if (!Walk(ref left))
                    {
                        return false;
                    }

                    Exit();
                    break;
                default:
                    ulong value;
                    if (SdBus.sd_bus_message_read_basic(Message, type, &value) <= 0)
                    {
                        throw Expected("a value");
                    }

                    left -= SizeOfFixed;
                    break;
            }

            if (left < 0)
            {
                return false;
            }
        }

        return true;
    }
}
