// One line of /proc/keys, if it is a keyring by whose keys the kernel may accept modules.
namespace LivePatchd.Core.Parsing;

public static class TrustedKeyringLine
{
    /// <summary>Every kernel that verifies modules has it.</summary>
    public const string BuiltIn = ".builtin_trusted_keys";

    private const int TypeField = 7;

    // No user can give a keyring a name that begins with a dot. Not every kernel takes the keys of every one of these for modules.
    private static readonly string[] Names = [BuiltIn, ".secondary_trusted_keys", ".machine", ".platform"];

    /// <param name="line">"SERIAL FLAGS USAGE TIMEOUT PERMISSIONS UID GID TYPE DESCRIPTION: SUMMARY", without its end.</param>
    public static (int Serial, string Name)? Parse(ReadOnlySpan<byte> line)
    {
        if (!TextFields.TakeWord(ref line, out var word) || TextFields.Number(word, 'x') is not (> 0 and <= int.MaxValue and var serial))
            return null;
        for (var field = 1; field <= TypeField; field++)
        {
            if (!TextFields.TakeWord(ref line, out word))
                return null;
        }
        if (!word.SequenceEqual("keyring"u8) || !TextFields.TakeWord(ref line, out word) || word is not [.. var name, (byte)':'])
            return null;
        foreach (var known in Names)
        {
            if (name.SequenceEqual(System.Text.Encoding.ASCII.GetBytes(known)))
                return ((int)serial, known);
        }
        return null;
    }
}
