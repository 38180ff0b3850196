// The end of a signed module: PKCS#7 message, twelve bytes that describe it, and the kernel's marker.
using System.Buffers.Binary;

namespace LivePatchd.Core.Elf;

internal static class SignatureTrailer
{
    private const int DescriptorSize = 12;
    private const int Pkcs7 = 2;

    private static ReadOnlySpan<byte> Marker => "~Module signature appended~\n"u8;

    /// <summary>Null when the module is not signed.</summary>
    internal static ModuleSignature? Read(ReadOnlySpan<byte> image)
    {
        if (!image.EndsWith(Marker))
            return null;
        var rest = image[..^Marker.Length];
        if (rest.Length < DescriptorSize)
            return new ModuleSignature(0, [], "the file ends before its description");
        var descriptor = rest[^DescriptorSize..];
        rest = rest[..^DescriptorSize];
        long length = BinaryPrimitives.ReadUInt32BigEndian(descriptor[8..]);
        if (descriptor[2] != Pkcs7)
            return new ModuleSignature(length, [], "it is not a PKCS#7 message");
        // The kernel refuses these, too: algorithm, hash and the lengths of names are told inside the message.
        if (descriptor[..2].ContainsAnyExcept((byte)0) || descriptor[3..8].ContainsAnyExcept((byte)0))
            return new ModuleSignature(length, [], "its description has parts that must be zero");
        if (length == 0 || length > rest.Length)
            return new ModuleSignature(length, [], "it is longer than the file, or empty");
        var signers = Pkcs7Signers.Read(rest[^(int)length..]);
        return new ModuleSignature(length, signers ?? [], signers is null ? "its PKCS#7 message makes no sense" : null);
    }
}
