// The SHA-256 digest of a patch file exactly as it was dropped: what `sha256sum` prints for it.
namespace LivePatchd.Core.Model;

/// <summary>64 lower-case hexadecimal digits.</summary>
public readonly record struct Sha256
{
    private readonly string? hex;

    private Sha256(string hex) => this.hex = hex;

    public string Hex => hex ?? "";

    public static Sha256 FromBytes(ReadOnlySpan<byte> digest)
    {
        if (digest.Length != 32)
            throw new ArgumentException("a SHA-256 digest has 32 bytes", nameof(digest));
        return new Sha256(Convert.ToHexStringLower(digest));
    }

    /// <summary>Null unless the text is 64 hexadecimal digits; upper case is accepted.</summary>
    public static Sha256? TryParse(ReadOnlySpan<char> text)
    {
        if (text.Length != 64)
            return null;
        foreach (var c in text)
        {
            if (!char.IsAsciiHexDigit(c))
                return null;
        }
        return new Sha256(text.ToString().ToLowerInvariant());
    }

    public override string ToString() => Hex;
}
