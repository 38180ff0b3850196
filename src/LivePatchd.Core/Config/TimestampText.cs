// Moments as manifests write them: RFC 3339 with an explicit offset.
using System.Globalization;

namespace LivePatchd.Core.Config;

internal static class TimestampText
{
    private static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>Null without an offset too: a time that means another moment on another host is no deadline.</summary>
    public static DateTimeOffset? TryParse(string text)
    {
        var hasOffset = text.Length > 19 && (text[^1] == 'Z' || text[^6] is '+' or '-');
        return hasOffset && DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time
            : null;
    }
}
