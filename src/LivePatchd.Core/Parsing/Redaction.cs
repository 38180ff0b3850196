// Masks what may be a secret in a line that leaves the host: the values of words that name one, and credentials in addresses.
using System.Text;

namespace LivePatchd.Core.Parsing;

/// <summary>Rather too much than too little: a value that is masked can be asked for, one that was sent cannot be taken back.</summary>
public static class Redaction
{
    public const string Mask = "***";

    private static readonly string[] Telling = ["pass", "pwd", "secret", "token", "key", "cred", "auth", "psk", "cookie"];

    // A layout of a keyboard is what a boot line says most often, and no secret.
    private static readonly string[] Harmless = ["keymap", "keyboard", "keytable"];

    /// <summary>True when what stands under this name is not for others, by the name alone.</summary>
    public static bool Names(ReadOnlySpan<char> name)
    {
        foreach (var word in Harmless)
        {
            if (name.Contains(word, StringComparison.OrdinalIgnoreCase))
                return false;
        }
        foreach (var word in Telling)
        {
            if (name.Contains(word, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }

    /// <summary>
    /// Words are split as the kernel splits its command line: spaces inside double quotes do not end one. Of KEY=VALUE the value is masked
    /// when the key names a secret; of SCHEME://USER:PASSWORD@HOST and of KEY=...:...@... all before the @.
    /// </summary>
    public static string Line(ReadOnlySpan<char> text)
    {
        var line = new StringBuilder(text.Length);
        while (!text.IsEmpty)
        {
            var length = WordLength(text);
            Append(line, text[..length]);
            text = text[length..];
            if (!text.IsEmpty)
            {
                line.Append(text[0]);
                text = text[1..];
            }
        }
        return line.ToString();
    }

    // A quote that is never closed keeps the rest together: all of it may belong to the value.
    private static int WordLength(ReadOnlySpan<char> text)
    {
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"')
                quoted = !quoted;
            else if (!quoted && char.IsWhiteSpace(text[i]))
                return i;
        }
        return text.Length;
    }

    private static void Append(StringBuilder line, ReadOnlySpan<char> word)
    {
        // In a quoted text there may be words with a value behind others that have none.
        for (var from = 0; word[from..].IndexOf('=') is >= 0 and var at; from += at + 1)
        {
            var equals = from + at;
            if (!Names(KeyBefore(word, equals)))
                continue;
            AppendAddress(line, word[..(equals + 1)]);
            if (equals + 1 < word.Length)
                line.Append(Mask);
            return;
        }
        AppendAddress(line, word);
    }

    private static ReadOnlySpan<char> KeyBefore(ReadOnlySpan<char> word, int equals)
    {
        var start = equals;
        while (start > 0 && (char.IsLetterOrDigit(word[start - 1]) || word[start - 1] is '_' or '-' or '.'))
            start--;
        return word[start..equals];
    }

    private static void AppendAddress(StringBuilder line, ReadOnlySpan<char> word)
    {
        var at = word.LastIndexOf('@');
        var scheme = word.IndexOf("://");
        var start = scheme >= 0 ? scheme + 3 : word.IndexOf('=') + 1;
        if (at <= start || (scheme < 0 && (start == 0 || !word[start..at].Contains(':'))))
            line.Append(word);
        else
            line.Append(word[..start]).Append(Mask).Append(word[at..]);
    }
}
