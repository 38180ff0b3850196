// Makes text from files fit to be shown in one line of a log, and writes nodes back as YAML.
using System.Globalization;
using System.Text;

namespace LivePatchd.Core.Config;

public static class ConfigText
{
    private const int MaxShown = 64;

    /// <summary>In quotes, shortened, with everything escaped that could break or forge a line.</summary>
    public static string Quote(string text)
    {
        var shown = new StringBuilder("\"");
        AppendEscaped(shown, text.Length > MaxShown ? text[..MaxShown] : text);
        if (text.Length > MaxShown)
            shown.Append("...");
        return shown.Append('"').ToString();
    }

    /// <summary>True when no character could break or forge a line: no control, format, surrogate or separator characters.</summary>
    public static bool IsOneLine(string text)
    {
        foreach (var c in text)
        {
            if (NeedsEscape(c))
                return false;
        }
        return true;
    }

    /// <summary>The node in YAML's one-line style.</summary>
    public static string Render(ConfigNode node)
    {
        var text = new StringBuilder();
        Append(text, node);
        return text.ToString();
    }

    private static void Append(StringBuilder text, ConfigNode node)
    {
        switch (node)
        {
            case ScalarNode scalar when scalar.IsNull || IsPlainSafe(scalar.Text):
                text.Append(scalar.Text);
                break;
            case ScalarNode scalar:
                text.Append('"');
                AppendEscaped(text, scalar.Text);
                text.Append('"');
                break;
            case ListNode list:
                text.Append('[');
                for (var i = 0; i < list.Items.Length; i++)
                {
                    text.Append(i == 0 ? "" : ", ");
                    Append(text, list.Items[i]);
                }
                text.Append(']');
                break;
            case MapNode map:
                text.Append('{');
                for (var i = 0; i < map.Entries.Length; i++)
                {
                    text.Append(i == 0 ? "" : ", ");
                    Append(text, new ScalarNode(map.Entries[i].Place, map.Entries[i].Key, Plain: false));
                    text.Append(": ");
                    Append(text, map.Entries[i].Value);
                }
                text.Append('}');
                break;
        }
    }

    private static bool IsPlainSafe(string text)
    {
        if (text.Length == 0 || !(char.IsAsciiLetterOrDigit(text[0]) || text[0] is '/' or '_'))
            return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('/' or '_' or '-' or '.' or '+'))
                return false;
        }
        return true;
    }

    private static void AppendEscaped(StringBuilder shown, string text)
    {
        foreach (var c in text)
        {
            if (c is '"' or '\\')
                shown.Append('\\').Append(c);
            else if (NeedsEscape(c))
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else
                shown.Append(c);
        }
    }

    private static bool NeedsEscape(char c) => char.GetUnicodeCategory(c) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or
        UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.OtherNotAssigned;
}
