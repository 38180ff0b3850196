// The end of a signed module: PKCS#7 message, twelve bytes that describe it, and the kernel's marker.
using System.Buffers.Binary;

namespace LivePatchd.Core.Elf;

/// <param name="Content">Length of what is signed: everything before the message.</param>
/// <param name="Message">Length of the PKCS#7 message that follows it.</param>
/// <param name="Problem">Null, or why the trailer makes no sense; then the two are of no use.</param>
public readonly record struct SignedParts(int Content, int Message, string? Problem);

public static class SignatureTrailer
{
    private const int DescriptorSize = 12;
    private const int Pkcs7 = 2;

    private static ReadOnlySpan<byte> Marker => "~Module signature appended~\n"u8;

    /// <summary>Null when the module is not signed.</summary>
    public static SignedParts? Split(ReadOnlySpan<byte> image) => Split(image, out _);

    /// <summary>The module without its signature; all of it where a trailer makes no sense.</summary>
    public static ReadOnlySpan<byte> Unsigned(ReadOnlySpan<byte> image) => Split(image) is { Problem: null } parts ? image[..parts.Content] : image;

    /// <summary>Null when the module is not signed.</summary>
    internal static ModuleSignature? Read(ReadOnlySpan<byte> image)
    {
        if (Split(image, out var length) is not { } parts)
            return null;
        if (parts.Problem is { } problem)
            return new ModuleSignature(length, [], problem);
        var signers = Pkcs7Signers.Read(image.Slice(parts.Content, parts.Message), out var carriesCertificates);
        return new ModuleSignature(length, signers ?? [], signers is null ? "its PKCS#7 message makes no sense" : null) { CarriesCertificates = carriesCertificates };
    }

    private static SignedParts? Split(ReadOnlySpan<byte> image, out long length)
    {
        length = 0;
        if (!image.EndsWith(Marker))
            return null;
        var rest = image[..^Marker.Length];
        if (rest.Length < DescriptorSize)
            return Broken("the file ends before its description");
        var descriptor = rest[^DescriptorSize..];
        rest = rest[..^DescriptorSize];
        length = BinaryPrimitives.ReadUInt32BigEndian(descriptor[8..]);
        if (descriptor[2] != Pkcs7)
            return Broken("it is not a PKCS#7 message");
        // The kernel refuses these, too: algorithm, hash and the lengths of names are told inside the message.
        if (descriptor[..2].ContainsAnyExcept((byte)0) || descriptor[3..8].ContainsAnyExcept((byte)0))
            return Broken("its description has parts that must be zero");
        if (length == 0 || length > rest.Length)
            return Broken("it is longer than the file, or empty");
        return new SignedParts(rest.Length - (int)length, (int)length, null);
    }

    private static SignedParts Broken(string problem) => new(0, 0, problem);
}
