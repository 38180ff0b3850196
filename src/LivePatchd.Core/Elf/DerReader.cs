// Reads DER one element at a time inside a span: definite lengths only, never beyond the end, never an exception.
namespace LivePatchd.Core.Elf;

/// <summary>The caller goes down by reading the content of an element with a reader of its own, so there is no recursion to bound.</summary>
internal ref struct DerReader(ReadOnlySpan<byte> rest)
{
    internal const byte Integer = 0x02;
    internal const byte OctetString = 0x04;
    internal const byte ObjectIdentifier = 0x06;
    internal const byte Sequence = 0x30;
    internal const byte Set = 0x31;
    internal const byte Context0 = 0x80;
    internal const byte Context0Constructed = 0xa0;
    internal const byte Context1Constructed = 0xa1;

    private const int MaxLengthBytes = 4;

    private ReadOnlySpan<byte> rest = rest;

    internal readonly bool IsAtEnd => rest.IsEmpty;

    /// <summary>The next element, whatever it is.</summary>
    internal bool TryRead(out byte tag, out ReadOnlySpan<byte> content)
    {
        tag = 0;
        content = default;
        if (rest.Length < 2)
            return false;
        tag = rest[0];
        // Tags of several bytes do not occur in what is read here.
        if ((tag & 0x1f) == 0x1f)
            return false;
        long length = rest[1];
        var header = 2;
        if (length >= 0x80)
        {
            var count = (int)length - 0x80;
            if (count is 0 or > MaxLengthBytes || rest.Length < 2 + count)
                return false;
            length = 0;
            foreach (var part in rest.Slice(2, count))
                length = (length << 8) | part;
            header += count;
        }
        if (length > rest.Length - header)
            return false;
        content = rest.Slice(header, (int)length);
        rest = rest[(header + (int)length)..];
        return true;
    }

    internal bool TryRead(byte wanted, out ReadOnlySpan<byte> content) => TryRead(out var tag, out content) && tag == wanted;

    internal bool TryEnter(byte wanted, out DerReader inside)
    {
        var found = TryRead(wanted, out var content);
        inside = new DerReader(content);
        return found;
    }

    /// <summary>Passes over the next element if it has this tag; false only for broken bytes.</summary>
    internal bool TrySkip(byte optional) => TrySkip(optional, out _);

    internal bool TrySkip(byte optional, out bool present)
    {
        present = !rest.IsEmpty && rest[0] == optional;
        return !present || TryRead(out _, out _);
    }
}
