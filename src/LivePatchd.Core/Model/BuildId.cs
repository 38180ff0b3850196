// The linker's build id of a module: equal in the file and in /sys/module/<m>/notes when they are one build.
namespace LivePatchd.Core.Model;

/// <summary>Lower-case hexadecimal text of the NT_GNU_BUILD_ID descriptor (1 to 64 bytes).</summary>
public readonly record struct BuildId
{
    private readonly string? hex;

    private BuildId(string hex) => this.hex = hex;

    public string Hex => hex ?? "";

    /// <summary>Null when the descriptor is empty or longer than 64 bytes.</summary>
    public static BuildId? FromBytes(ReadOnlySpan<byte> descriptor) =>
        descriptor.Length is 0 or > 64 ? null : new BuildId(Convert.ToHexStringLower(descriptor));

    /// <summary>Null unless the text is an even number of hexadecimal digits, 2 to 128.</summary>
    public static BuildId? TryParse(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 128 || text.Length % 2 != 0)
            return null;
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigit(c))
                return null;
        }
        return new BuildId(text.ToString().ToLowerInvariant());
    }

    public override string ToString() => Hex;
}
