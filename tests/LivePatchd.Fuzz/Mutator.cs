// Makes inputs out of inputs: bits, lengths, words of the format, lines, splices, repetition and nesting.
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace LivePatchd.Fuzz;

/// <summary>The same seed and the same pool give the same inputs.</summary>
internal sealed class Mutator(Target target, int seed)
{
    private const int MostSteps = 8;
    private const int UsualLength = 16 << 10;

    // The ends of ranges, as fields of binary formats and as digits of text.
    private static readonly ulong[] Extremes =
    [
        0, 1, 7, 8, 24, 63, 64, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000,
        0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFF8, 0xFFFF_FFFF_FFFF_FFFF,
    ];

    private static readonly string[] Numbers =
    [
        "0", "-1", "1", "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808",
        "18446744073709551615", "18446744073709551616", "99999999999999999999", "1e308", "-0", "0x10", "00000000000000000001", "1.", ".5", "NaN",
    ];

    private static readonly string[] Openers = ["[", "{", "(", "- ", "? ", "\"", "'", "[{", "{a: ", "<", "\\", "&a ", "!t "];

    private readonly Random random = new(seed);

    public byte[] Mutate(IReadOnlyList<byte[]> pool)
    {
        var input = Pick(pool);
        // Few changes more often than many.
        var steps = 1 + random.Next(1 + random.Next(MostSteps));
        for (var step = 0; step < steps; step++)
            input = Step(input, pool);
        if (input.Length > target.MaxLength)
            input = input[..target.MaxLength];
        // Broken checksums have to be refused too.
        return target.Repair is { } repair && random.Next(16) != 0 ? Bounded(repair(input)) : input;
    }

    // Small inputs more often than large ones, which take longer than they find more.
    private byte[] Pick(IReadOnlyList<byte[]> pool)
    {
        var input = pool[random.Next(pool.Count)];
        for (var again = 0; again < 4 && input.Length > UsualLength; again++)
            input = pool[random.Next(pool.Count)];
        return input;
    }

    private byte[] Bounded(byte[] input) => input.Length > target.MaxLength ? input[..target.MaxLength] : input;

    private byte[] Step(byte[] input, IReadOnlyList<byte[]> pool) => random.Next(14) switch
    {
        0 => Change(input, (copy, at) => copy[at] ^= (byte)(1 << random.Next(8))),
        1 => Change(input, (copy, at) => copy[at] = (byte)random.Next(256)),
        2 => Change(input, (copy, at) => Field(copy.AsSpan(at))),
        3 => Insert(input, Noise(1 + random.Next(16))),
        4 => Cut(input),
        5 => input[..random.Next(input.Length + 1)],
        6 => Insert(input, Word()),
        7 => Over(input, Word()),
        8 => Splice(input, pool[random.Next(pool.Count)]),
        9 => Move(input),
        10 => Number(input),
        11 => Lines(input),
        12 => Repeat(input),
        _ => Nest(input),
    };

    private byte[] Change(byte[] input, Action<byte[], int> change)
    {
        if (input.Length == 0)
            return Noise(1);
        var copy = (byte[])input.Clone();
        change(copy, random.Next(copy.Length));
        return copy;
    }

    // A length, an offset or a count, in either byte order.
    private void Field(Span<byte> at)
    {
        var value = random.Next(8) == 0 ? (ulong)random.NextInt64() : Extremes[random.Next(Extremes.Length)] + (ulong)random.Next(-1, 2);
        Span<byte> bytes = stackalloc byte[8];
        var size = 1 << random.Next(4);
        if (random.Next(4) == 0)
            BinaryPrimitives.WriteUInt64BigEndian(bytes, value << (64 - (8 * size)));
        else
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        bytes[..Math.Min(size, at.Length)].CopyTo(at);
    }

    private byte[] Noise(int length)
    {
        var noise = new byte[length];
        random.NextBytes(noise);
        return noise;
    }

    private byte[] Word() => target.Words.Count == 0 ? Noise(4) : target.Words[random.Next(target.Words.Count)];

    private byte[] Insert(byte[] input, ReadOnlySpan<byte> what)
    {
        var at = random.Next(input.Length + 1);
        return [.. input.AsSpan(0, at), .. what, .. input.AsSpan(at)];
    }

    private byte[] Over(byte[] input, byte[] what)
    {
        var at = random.Next(input.Length + 1);
        return [.. input.AsSpan(0, at), .. what, .. input.AsSpan(Math.Min(input.Length, at + what.Length))];
    }

    private (int From, int Length) Range(byte[] input)
    {
        var from = random.Next(input.Length + 1);
        var most = input.Length - from;
        return (from, random.Next(Math.Min(most, 1 << random.Next(16)) + 1));
    }

    private byte[] Cut(byte[] input)
    {
        var (from, length) = Range(input);
        return [.. input.AsSpan(0, from), .. input.AsSpan(from + length)];
    }

    private byte[] Splice(byte[] input, byte[] other)
    {
        var (from, length) = Range(other);
        var at = random.Next(input.Length + 1);
        // In place of something, so that offsets behind it stay right, or in between.
        var behind = random.Next(2) == 0 ? Math.Min(input.Length, at + length) : at;
        return [.. input.AsSpan(0, at), .. other.AsSpan(from, length), .. input.AsSpan(behind)];
    }

    // One part of the input over another: headers in each other's places.
    private byte[] Move(byte[] input)
    {
        if (input.Length < 16)
            return input;
        var copy = (byte[])input.Clone();
        var unit = 8 << random.Next(4);
        var length = Math.Min(unit, input.Length);
        var from = random.Next((input.Length - length) / 8 + 1) * 8;
        var to = random.Next((input.Length - length) / 8 + 1) * 8;
        input.AsSpan(from, length).CopyTo(copy.AsSpan(to));
        return copy;
    }

    // The digits at some place become another number.
    private byte[] Number(byte[] input)
    {
        var at = random.Next(input.Length + 1);
        while (at < input.Length && !char.IsAsciiDigit((char)input[at]))
            at++;
        var end = at;
        while (end < input.Length && char.IsAsciiDigit((char)input[end]))
            end++;
        var number = random.Next(4) == 0 ? random.NextInt64().ToString(CultureInfo.InvariantCulture) : Numbers[random.Next(Numbers.Length)];
        return [.. input.AsSpan(0, at), .. Encoding.ASCII.GetBytes(number), .. input.AsSpan(end)];
    }

    private byte[] Lines(byte[] input)
    {
        var lines = new List<byte[]>();
        for (var rest = input.AsSpan(); !rest.IsEmpty;)
        {
            var length = rest.IndexOf((byte)'\n') + 1;
            length = length == 0 ? rest.Length : length;
            lines.Add(rest[..length].ToArray());
            rest = rest[length..];
        }
        if (lines.Count == 0)
            return "\n"u8.ToArray();
        var one = random.Next(lines.Count);
        var other = random.Next(lines.Count);
        switch (random.Next(4))
        {
            case 0:
                lines.Insert(other, lines[one]);
                break;
            case 1:
                lines.RemoveAt(one);
                break;
            case 2:
                (lines[one], lines[other]) = (lines[other], lines[one]);
                break;
            default:
                lines[one] = [.. lines[one].AsSpan().TrimEnd((byte)'\n'), .. lines[other]];
                break;
        }
        return [.. lines.SelectMany(static l => l)];
    }

    private byte[] Repeat(byte[] input)
    {
        var (from, length) = Range(input);
        if (length == 0)
            return input;
        var room = Math.Max(0, target.MaxLength - input.Length);
        var times = Math.Min(room / length, 1 << random.Next(1 + random.Next(16)));
        var result = new byte[input.Length + (times * length)];
        input.AsSpan(0, from).CopyTo(result);
        for (var i = 0; i < times; i++)
            input.AsSpan(from, length).CopyTo(result.AsSpan(from + (i * length)));
        input.AsSpan(from).CopyTo(result.AsSpan(from + (times * length)));
        return result;
    }

    private byte[] Nest(byte[] input)
    {
        var opener = Encoding.ASCII.GetBytes(Openers[random.Next(Openers.Length)]);
        var deep = new byte[opener.Length * Math.Min(1 << random.Next(1 + random.Next(16)), target.MaxLength / opener.Length)];
        for (var at = 0; at < deep.Length; at += opener.Length)
            opener.CopyTo(deep, at);
        return Insert(input, deep);
    }
}
