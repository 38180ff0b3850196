// Object paths from outside names, in sd-bus's label escaping: any byte outside [A-Za-z0-9] becomes _xx.
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace LivePatchd.Bus;

// The same text as sd_bus_path_encode (the tests compare them), written here so that a path can be had without libsystemd.
public static class BusPath
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string Encode(string prefix, string external)
    {
        var path = new StringBuilder(prefix);
        if (!prefix.EndsWith('/'))
        {
            path.Append('/');
        }

        if (external.Length == 0)
        {
            return path.Append('_').ToString();
        }

        var first = true;
        foreach (var octet in Encoding.UTF8.GetBytes(external))
        {
            if (char.IsAsciiLetter((char)octet) || (char.IsAsciiDigit((char)octet) && !first))
            {
                path.Append((char)octet);
            }
            else
            {
                path.Append(CultureInfo.InvariantCulture, $"_{octet:x2}");
            }

            first = false;
        }

        return path.ToString();
    }

    /// <summary>Strict: only a path that <see cref="Encode"/> produces for this prefix is accepted.</summary>
    public static bool TryDecode(string path, string prefix, [NotNullWhen(true)] out string? external)
    {
        external = null;
        var start = prefix.EndsWith('/') ? prefix : prefix + "/";
        if (!path.StartsWith(start, StringComparison.Ordinal))
        {
            return false;
        }

        var label = path.AsSpan(start.Length);
        var octets = new List<byte>(label.Length);
        for (var i = 0; i < label.Length && label is not "_"; i++)
        {
            if (label[i] != '_')
            {
                octets.Add((byte)label[i]);
            }
            else if (i + 2 < label.Length && byte.TryParse(label.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                octets.Add(octet);
                i += 2;
            }
            else
            {
                return false;
            }
        }

        try
        {
            var text = StrictUtf8.GetString([.. octets]);
            if (Encode(prefix, text) != path)
            {
                return false;
            }

            external = text;
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
