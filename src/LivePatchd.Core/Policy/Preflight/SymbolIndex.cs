// The names of the kernel's own symbols of this boot as numbers in order: eight bytes each, so that no load waits for the whole list.
using System.Buffers.Binary;
using System.Text;
using LivePatchd.Core.Elf;

namespace LivePatchd.Core.Policy.Preflight;

/// <summary>
/// What the index says is missing is missing. What it says is there once may, once in ten billion, be another name of the same number:
/// then the kernel itself refuses.
/// </summary>
public sealed class SymbolIndex
{
    /// <summary>Several times what any kernel has.</summary>
    public const int MaxSymbols = 2_000_000;

    private readonly ulong[] hashes;

    private SymbolIndex(ulong[] hashes) => this.hashes = hashes;

    public int Count => hashes.Length;

    /// <summary>Every need of the kernel's own symbols is met for sure. False means: look closer.</summary>
    public bool Meets(IEnumerable<NeededSymbol> needed)
    {
        ArgumentNullException.ThrowIfNull(needed);
        return needed.All(n => n.Object == PatchedObject.Vmlinux && n.IsMetBy(CountOf(Encoding.UTF8.GetBytes(n.Name))));
    }

    public int CountOf(ReadOnlySpan<byte> name)
    {
        var hash = Hash(name);
        var at = Array.BinarySearch(hashes, hash);
        if (at < 0)
            return 0;
        while (at > 0 && hashes[at - 1] == hash)
            at--;
        var count = 0;
        while (at < hashes.Length && hashes[at++] == hash)
            count++;
        return count;
    }

    internal static ulong Hash(ReadOnlySpan<byte> name)
    {
        // Not meant to resist anybody: who can name the kernel's symbols can do without tricks.
        var hash = 0x9E37_79B9_7F4A_7C15UL ^ (ulong)name.Length;
        while (name.Length >= sizeof(ulong))
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(name));
            name = name[sizeof(ulong)..];
        }
        Span<byte> rest = stackalloc byte[sizeof(ulong)];
        rest.Clear();
        name.CopyTo(rest);
        return Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(rest));
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 32)) * 0xD6E8_FEB8_6659_FD93;
        return value ^ (value >> 29);
    }

    /// <summary>Collects the names in the order of the list.</summary>
    public sealed class Builder
    {
        private readonly List<ulong> taken = new(1 << 17);

        /// <summary>False when there are more than any kernel has.</summary>
        public bool Take(ReadOnlySpan<byte> name)
        {
            if (taken.Count == MaxSymbols)
                return false;
            taken.Add(Hash(name));
            return true;
        }

        public SymbolIndex Build()
        {
            var hashes = taken.ToArray();
            Array.Sort(hashes);
            return new SymbolIndex(hashes);
        }
    }
}
