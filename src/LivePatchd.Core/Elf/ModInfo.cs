// The .modinfo section of a module: NUL-terminated "key=value" strings.
namespace LivePatchd.Core.Elf;

/// <summary>A key may come several times; like the kernel, the first one counts.</summary>
internal readonly ref struct ModInfo(ReadOnlySpan<byte> section)
{
    private readonly ReadOnlySpan<byte> section = section;

    /// <summary>The kernel walks it string by string, so it must end in one.</summary>
    internal bool IsTerminated => section is [.., 0];

    internal bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value)
    {
        var rest = section;
        while (rest.IndexOf((byte)0) is >= 0 and var end)
        {
            var entry = rest[..end];
            rest = rest[(end + 1)..];
            if (entry.Length <= key.Length || entry[key.Length] != (byte)'=' || !entry.StartsWith(key))
                continue;
            value = entry[(key.Length + 1)..];
            return true;
        }
        value = default;
        return false;
    }
}
