// Object identifiers of algorithms and name attributes: their words where they are known, their numbers elsewhere.
using System.Globalization;
using System.Text;

namespace LivePatchd.Core.Elf;

internal static class ObjectIdentifiers
{
    internal const string SignedData = "1.2.840.113549.1.7.2";

    private const int MaxBytes = 32;

    /// <summary>Null when the bytes are no identifier, or an absurdly long one.</summary>
    internal static string? Dotted(ReadOnlySpan<byte> content)
    {
        if (content.Length is 0 or > MaxBytes || content[^1] >= 0x80)
            return null;
        var text = new StringBuilder();
        ulong arc = 0;
        foreach (var part in content)
        {
            if (arc >> 56 != 0)
                return null;
            arc = (arc << 7) | (part & 0x7fu);
            if (part >= 0x80)
                continue;
            if (text.Length == 0)
            {
                // The first number holds the first two.
                var first = Math.Min(arc / 40, 2);
                text.Append(CultureInfo.InvariantCulture, $"{first}.{arc - (first * 40)}");
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $".{arc}");
            }
            arc = 0;
        }
        return text.ToString();
    }

    internal static string? Algorithm(ReadOnlySpan<byte> content) => Dotted(content) switch
    {
        "1.3.14.3.2.26" => "sha1",
        "2.16.840.1.101.3.4.2.4" => "sha224",
        "2.16.840.1.101.3.4.2.1" => "sha256",
        "2.16.840.1.101.3.4.2.2" => "sha384",
        "2.16.840.1.101.3.4.2.3" => "sha512",
        "2.16.840.1.101.3.4.2.8" => "sha3-256",
        "2.16.840.1.101.3.4.2.9" => "sha3-384",
        "2.16.840.1.101.3.4.2.10" => "sha3-512",
        "1.2.840.113549.1.1.1" => "rsa",
        "1.2.840.113549.1.1.10" => "rsa-pss",
        "1.2.840.113549.1.1.11" => "rsa-sha256",
        "1.2.840.113549.1.1.12" => "rsa-sha384",
        "1.2.840.113549.1.1.13" => "rsa-sha512",
        "1.2.840.10045.4.3.2" => "ecdsa-sha256",
        "1.2.840.10045.4.3.3" => "ecdsa-sha384",
        "1.2.840.10045.4.3.4" => "ecdsa-sha512",
        "1.3.101.112" => "ed25519",
        "2.16.840.1.101.3.4.3.17" => "ml-dsa-44",
        "2.16.840.1.101.3.4.3.18" => "ml-dsa-65",
        "2.16.840.1.101.3.4.3.19" => "ml-dsa-87",
        var dotted => dotted,
    };

    internal static string? NameAttribute(ReadOnlySpan<byte> content) => Dotted(content) switch
    {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "1.2.840.113549.1.9.1" => "emailAddress",
        "0.9.2342.19200300.100.1.25" => "DC",
        var dotted => dotted,
    };
}
