// Reads values of any type into plain CLR values, within limits that keep a hostile peer cheap.
using System.Runtime.InteropServices;
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

public sealed partial class BusReader
{
    public const int MaxOptions = 64;
    public const int MaxOptionBytes = 4096;

    private const int MaxOptionDepth = 8;
    private const int MaxOptionValues = 1024;
    private const int MaxValueDepth = 64;

    /// <summary>
    /// The next complete value, whatever its type: integers by their own width, s/o/g as string, "as" and "ao" as string[], "ay" as byte[],
    /// a{s*} as Dictionary&lt;string, object&gt;, other arrays and structs as object[], a variant as what it holds. File descriptors are refused.
    /// </summary>
    public object ReadValue()
    {
        var budget = new Budget(int.MaxValue, int.MaxValue, int.MaxValue, MaxValueDepth);
        return ReadAny(ref budget);
    }

    /// <summary>An a{sv}: at most 64 entries, strings of at most 4096 bytes, no name twice.</summary>
    public Dictionary<string, object> ReadOptions()
    {
        var budget = new Budget(MaxOptionValues, MaxOptions, MaxOptionBytes, MaxOptionDepth);
        return ReadDictionary("{sv}", ref budget);
    }

    /// <summary>An a{sv} without limits, for answers of a trusted peer.</summary>
    public Dictionary<string, object> ReadProperties()
    {
        var budget = new Budget(int.MaxValue, int.MaxValue, int.MaxValue, MaxValueDepth);
        return ReadDictionary("{sv}", ref budget);
    }

    private object ReadAny(ref Budget budget)
    {
        if (SdBus.sd_bus_message_peek_type(Message, out var type, out var contentsPointer) <= 0)
        {
            throw Expected("a value");
        }

        if (budget.Values-- <= 0 || budget.Depth <= 0)
        {
            throw new BusFormatException("The value is too large or too deeply nested.");
        }

        var contents = Marshal.PtrToStringUTF8(contentsPointer) ?? "";
        return (char)type switch
        {
            'y' => ReadByte(),
            'b' => ReadBool(),
            'n' => ReadInt16(),
            'q' => ReadUInt16(),
            'i' => ReadInt32(),
            'u' => ReadUInt32(),
            'x' => ReadInt64(),
            't' => ReadUInt64(),
            'd' => ReadDouble(),
            's' => ReadString(budget.StringBytes),
            'o' => TryReadText('o', budget.StringBytes, out var path) ? path : throw Expected($"an object path of at most {budget.StringBytes} bytes"),
            'g' => ReadSignature(),
            'v' => ReadInside('v', contents, ref budget)[0],
            'r' => ReadInside('r', contents, ref budget),
            'a' when contents.StartsWith("{s", StringComparison.Ordinal) => ReadDictionary(contents, ref budget),
            'a' when contents == "y" => ReadBoundedBytes(budget.StringBytes),
            'a' => ReadItems(contents, ref budget),
            'e' => ReadInside('e', contents, ref budget),
            _ => throw new BusFormatException($"Values of type '{(char)type}' are not accepted here."),
        };
    }

    private object[] ReadInside(char container, string contents, ref Budget budget)
    {
        Enter(container, contents, "a container");
        budget.Depth--;
        var values = new List<object>();
        while (!AtEnd)
        {
            values.Add(ReadAny(ref budget));
        }

        budget.Depth++;
        Exit();
        return [.. values];
    }

    private object ReadItems(string contents, ref Budget budget)
    {
        var items = ReadInside('a', contents, ref budget);
        return contents is "s" or "o" or "g" ? Array.ConvertAll(items, static item => (string)item) : items;
    }

    private byte[] ReadBoundedBytes(int maxBytes)
    {
        var bytes = ReadBytes();
        return bytes.Length <= maxBytes ? bytes : throw Expected($"an array of at most {maxBytes} bytes");
    }

    private Dictionary<string, object> ReadDictionary(string contents, ref Budget budget)
    {
        var entryContents = contents[1..^1];
        var entries = new Dictionary<string, object>(StringComparer.Ordinal);
        EnterArray(contents);
        budget.Depth--;
        while (!AtEnd)
        {
            if (entries.Count == budget.Entries)
            {
                throw new BusFormatException($"The dictionary has more than {budget.Entries} entries.");
            }

            EnterDictEntry(entryContents);
            var key = ReadString(budget.StringBytes);
            if (!entries.TryAdd(key, ReadAny(ref budget)))
            {
                throw new BusFormatException("The dictionary names an entry twice.");
            }

            Exit();
        }

        budget.Depth++;
        Exit();
        return entries;
    }

    private struct Budget(int values, int entries, int stringBytes, int depth)
    {
        public int Values = values;
        public readonly int Entries = entries;
        public readonly int StringBytes = stringBytes;
        public int Depth = depth;
    }
}
