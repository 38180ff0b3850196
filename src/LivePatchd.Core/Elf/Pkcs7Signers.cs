// The signers that a PKCS#7 (CMS) signed message names, without verifying anything.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Elf;

internal static class Pkcs7Signers
{
    private const int MaxSigners = 8;
    private const int MaxAttributes = 32;
    private const int MaxNameLength = 256;
    private const int MaxIdentifierBytes = 64;

    // The description of a key in a question to the kernel has 4095 characters at most, and this is told in hexadecimal digits.
    private const int MaxLookupBytes = 2000;

    /// <summary>Null when the message is not the kernel's kind of signed data, or broken.</summary>
    internal static ImmutableArray<ModuleSigner>? Read(ReadOnlySpan<byte> message, out bool carriesCertificates)
    {
        carriesCertificates = false;
        var whole = new DerReader(message);
        if (!whole.TryEnter(DerReader.Sequence, out var info) || !whole.IsAtEnd
            || !info.TryRead(DerReader.ObjectIdentifier, out var type) || ObjectIdentifiers.Dotted(type) != ObjectIdentifiers.SignedData
            || !info.TryEnter(DerReader.Context0Constructed, out var explicitContent)
            || !explicitContent.TryEnter(DerReader.Sequence, out var signed)
            || !signed.TryRead(DerReader.Integer, out _)
            || !signed.TryRead(DerReader.Set, out _)
            || !signed.TryRead(DerReader.Sequence, out _)
            || !signed.TrySkip(DerReader.Context0Constructed, out carriesCertificates)
            || !signed.TrySkip(DerReader.Context1Constructed)
            || !signed.TryEnter(DerReader.Set, out var infos))
        {
            return null;
        }
        var signers = ImmutableArray.CreateBuilder<ModuleSigner>();
        while (!infos.IsAtEnd)
        {
            if (signers.Count == MaxSigners || !infos.TryEnter(DerReader.Sequence, out var one) || Signer(one) is not { } signer)
                return null;
            signers.Add(signer);
        }
        return signers.Count == 0 ? null : signers.ToImmutable();
    }

    private static ModuleSigner? Signer(DerReader info)
    {
        if (!info.TryRead(DerReader.Integer, out _) || !info.TryRead(out var tag, out var identifier))
            return null;
        string? issuer = null, serial = null, keyId = null, lookup = null;
        if (tag == DerReader.Context0)
        {
            keyId = Hex(identifier);
            lookup = keyId;
        }
        else if (tag == DerReader.Sequence)
        {
            var certificate = new DerReader(identifier);
            if (!certificate.TryRead(DerReader.Sequence, out var name) || !certificate.TryRead(DerReader.Integer, out var number))
                return null;
            issuer = DistinguishedName(new DerReader(name));
            // A leading zero byte only keeps the number positive.
            serial = Hex(number is [0, _, ..] ? number[1..] : number);
            // The kernel joins the contents of both as they stand in the certificate, without their headers.
            lookup = number.Length + name.Length <= MaxLookupBytes ? Convert.ToHexStringLower([.. number, .. name]) : null;
        }
        if ((keyId ?? serial) is null || (keyId is null && issuer is null))
            return null;
        return Algorithm(ref info) is { } digest && info.TrySkip(DerReader.Context0Constructed) && Algorithm(ref info) is { } algorithm
            && info.TryRead(DerReader.OctetString, out _)
            ? new ModuleSigner(issuer, serial, keyId, digest, algorithm) { Lookup = lookup }
            : null;
    }

    private static string? Algorithm(ref DerReader reader) =>
        reader.TryEnter(DerReader.Sequence, out var algorithm) && algorithm.TryRead(DerReader.ObjectIdentifier, out var identifier)
            ? ObjectIdentifiers.Algorithm(identifier)
            : null;

    private static string? DistinguishedName(DerReader name)
    {
        var text = new StringBuilder();
        var attributes = 0;
        while (!name.IsAtEnd)
        {
            if (!name.TryEnter(DerReader.Set, out var relative))
                return null;
            while (!relative.IsAtEnd)
            {
                if (++attributes > MaxAttributes
                    || !relative.TryEnter(DerReader.Sequence, out var attribute)
                    || !attribute.TryRead(DerReader.ObjectIdentifier, out var identifier) || ObjectIdentifiers.NameAttribute(identifier) is not { } key
                    || !attribute.TryRead(out var tag, out var value))
                {
                    return null;
                }
                text.Append(text.Length == 0 ? "" : ", ").Append(key).Append('=').Append(Text(tag, value));
            }
        }
        return Printable.Line(text.ToString(), MaxNameLength);
    }

    private static string Text(byte tag, ReadOnlySpan<byte> value)
    {
        const byte BmpString = 0x1e;
        value = value[..Math.Min(value.Length, MaxNameLength)];
        return tag == BmpString ? Encoding.BigEndianUnicode.GetString(value) : Encoding.UTF8.GetString(value);
    }

    private static string? Hex(ReadOnlySpan<byte> bytes) => bytes.Length is 0 or > MaxIdentifierBytes ? null : Convert.ToHexStringLower(bytes);
}
