// Writes arrays, structs, dictionary entries and variants; each container is closed by the call that opened it.
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

public sealed partial class BusWriter
{
    /// <param name="contents">The signature of one item.</param>
    public void WriteArray<T>(string contents, IEnumerable<T> items, Action<BusWriter, T> writeItem)
    {
        Open('a', contents);
        foreach (var item in items)
        {
            writeItem(this, item);
        }

        Close(contents);
    }

    public void WriteStruct(string contents, Action<BusWriter> writeFields) => WriteInside('r', contents, writeFields);

    public void WriteVariant(string contents, Action<BusWriter> writeValue) => WriteInside('v', contents, writeValue);

    public void WriteDictEntry(string contents, Action<BusWriter> writeKeyAndValue) => WriteInside('e', contents, writeKeyAndValue);

    public void WriteStrings(IEnumerable<string> items) => WriteArray("s", items, static (w, item) => w.WriteString(item));

    public void WriteObjectPaths(IEnumerable<string> items) => WriteArray("o", items, static (w, item) => w.WriteObjectPath(item));

    public unsafe void WriteBytes(ReadOnlySpan<byte> octets)
    {
        fixed (byte* start = octets)
        {
            Check(SdBus.sd_bus_message_append_array(Message, (byte)'y', start, (nuint)octets.Length), "ay");
        }
    }

    /// <summary>An a{sv} of the values <see cref="WriteValue"/> takes.</summary>
    public void WriteOptions(IEnumerable<KeyValuePair<string, object>> options) =>
        WriteArray("{sv}", options, static (w, option) => w.WriteDictEntry("sv", entry =>
        {
            entry.WriteString(option.Key);
            entry.WriteValue(option.Value);
        }));

    /// <summary>A variant of the value's own D-Bus type: bool, byte, the integers, double, string, string[] or byte[].</summary>
    public void WriteValue(object value)
    {
        switch (value)
        {
            case bool v: WriteVariant("b", w => w.WriteBool(v)); break;
            case byte v: WriteVariant("y", w => w.WriteByte(v)); break;
            case short v: WriteVariant("n", w => w.WriteInt16(v)); break;
            case ushort v: WriteVariant("q", w => w.WriteUInt16(v)); break;
            case int v: WriteVariant("i", w => w.WriteInt32(v)); break;
            case uint v: WriteVariant("u", w => w.WriteUInt32(v)); break;
            case long v: WriteVariant("x", w => w.WriteInt64(v)); break;
            case ulong v: WriteVariant("t", w => w.WriteUInt64(v)); break;
            case double v: WriteVariant("d", w => w.WriteDouble(v)); break;
            case string v: WriteVariant("s", w => w.WriteString(v)); break;
            case string[] v: WriteVariant("as", w => w.WriteStrings(v)); break;
            case byte[] v: WriteVariant("ay", w => w.WriteBytes(v)); break;
            default: throw new ArgumentException($"No D-Bus type for {value.GetType()}.", nameof(value));
        }
    }

    private void WriteInside(char container, string contents, Action<BusWriter> write)
    {
        Open(container, contents);
        write(this);
        Close(contents);
    }

    private void Open(char container, string contents) =>
        Check(SdBus.sd_bus_message_open_container(Message, (byte)container, contents), contents);

    private void Close(string contents) => Check(SdBus.sd_bus_message_close_container(Message), contents);
}
