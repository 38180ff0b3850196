// Reads arrays, structs, dictionary entries and variants, checked against the contents the caller expects.
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

public sealed partial class BusReader
{
    public void EnterArray(string contents) => Enter('a', contents, "an array");

    public void EnterStruct(string contents) => Enter('r', contents, "a struct");

    public void EnterDictEntry(string contents) => Enter('e', contents, "a dictionary entry");

    public void EnterVariant(string contents) => Enter('v', contents, "a variant");

    /// <summary>Leaves the container that was entered last; what is unread in it is an error.</summary>
    public void Exit()
    {
        if (SdBus.sd_bus_message_exit_container(Message) < 0)
        {
            throw new BusFormatException("The container holds more than was read.");
        }
    }

    /// <param name="contents">The signature of one item.</param>
    public List<T> ReadArray<T>(string contents, Func<BusReader, T> readItem, int maxItems = int.MaxValue)
    {
        var items = new List<T>();
        EnterArray(contents);
        while (!AtEnd)
        {
            if (items.Count == maxItems)
            {
                throw new BusFormatException($"The array has more than {maxItems} items.");
            }

            items.Add(readItem(this));
        }

        Exit();
        return items;
    }

    public T ReadStruct<T>(string contents, Func<BusReader, T> readFields)
    {
        EnterStruct(contents);
        var value = readFields(this);
        Exit();
        return value;
    }

    public T ReadVariant<T>(string contents, Func<BusReader, T> readContents)
    {
        EnterVariant(contents);
        var value = readContents(this);
        Exit();
        return value;
    }

    public string[] ReadStrings(int maxItems = int.MaxValue) => [.. ReadArray("s", static r => r.ReadString(), maxItems)];

    public unsafe byte[] ReadBytes()
    {
        return SdBus.sd_bus_message_read_array(Message, (byte)'y', out var values, out var size) > 0
            ? new ReadOnlySpan<byte>(values, checked((int)size)).ToArray()
            : throw Expected("an array of bytes");
    }

    private void Enter(char type, string contents, string what)
    {
        if (SdBus.sd_bus_message_enter_container(Message, (byte)type, contents) <= 0)
        {
            throw Expected($"{what} of \"{contents}\"");
        }
    }
}
