// The kernel's name of a patch module: the identity that sysfs, the bus and every table use.
namespace LivePatchd.Core.Model;

/// <summary>
/// A kernel module name that livepatchd manages: 1 to 55 characters of [A-Za-z0-9_], '-' read as '_' as the kernel's tools do
/// (MODULE_NAME_LEN is 64 - sizeof(unsigned long), including the NUL).
/// </summary>
public readonly record struct PatchName : IComparable<PatchName>
{
    public const int MaxLength = 55;

    private readonly string? value;

    private PatchName(string value) => this.value = value;

    public string Value => value ?? "";

    /// <summary>Null when the text is no acceptable module name.</summary>
    public static PatchName? TryParse(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxLength)
            return null;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
                return null;
        }
        return new PatchName(text.ToString().Replace('-', '_'));
    }

    /// <summary>
    /// The name of what the kernel has loaded, as it is: a dot or a dash in it leads to no file of ours, but the module is there, and so is
    /// its transition. Null for what is no name of a directory, or cannot be shown.
    /// </summary>
    public static PatchName? TryParseLoaded(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxLength || text is "." or "..")
            return null;
        foreach (var c in text)
        {
            if (char.IsControl(c) || char.IsWhiteSpace(c) || c is '/' or '\uFFFD')
                return null;
        }
        return new PatchName(text.ToString());
    }

    /// <summary>A file of ours can have it, and a method can be asked about it.</summary>
    public bool IsManageable => TryParse(Value) is { } same && same.Value == Value;

    /// <summary>For names known to be good: literals in code and tests.</summary>
    /// <exception cref="FormatException">The text is no module name.</exception>
    public static PatchName Parse(string text) =>
        TryParse(text) ?? throw new FormatException("not a module name");

    public int CompareTo(PatchName other) => string.CompareOrdinal(Value, other.Value);

    public static bool operator <(PatchName left, PatchName right) => left.CompareTo(right) < 0;

    public static bool operator >(PatchName left, PatchName right) => left.CompareTo(right) > 0;

    public static bool operator <=(PatchName left, PatchName right) => left.CompareTo(right) <= 0;

    public static bool operator >=(PatchName left, PatchName right) => left.CompareTo(right) >= 0;

    public override string ToString() => Value;
}
