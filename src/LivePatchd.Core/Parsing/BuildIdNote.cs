// Finds the GNU build id in the bytes of an ELF note section: of a file, or of /sys/module/<m>/notes.
using System.Buffers.Binary;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Parsing;

public static class BuildIdNote
{
    private const int HeaderSize = 12;
    private const uint BuildIdType = 3;

    /// <summary>Null when there is no well-formed build-id note. Little-endian notes, as both supported machines have.</summary>
    public static BuildId? Parse(ReadOnlySpan<byte> notes)
    {
        while (notes.Length >= HeaderSize)
        {
            long nameSize = BinaryPrimitives.ReadUInt32LittleEndian(notes);
            long descriptorSize = BinaryPrimitives.ReadUInt32LittleEndian(notes[4..]);
            var type = BinaryPrimitives.ReadUInt32LittleEndian(notes[8..]);
            notes = notes[HeaderSize..];
            var descriptorStart = Padded(nameSize);
            if (descriptorStart + descriptorSize > notes.Length)
                return null;
            if (type == BuildIdType && notes[..(int)nameSize].SequenceEqual("GNU\0"u8))
                return BuildId.FromBytes(notes.Slice((int)descriptorStart, (int)descriptorSize));
            // The last note may come without its padding.
            notes = notes[(int)Math.Min(notes.Length, descriptorStart + Padded(descriptorSize))..];
        }
        return null;
    }

    private static long Padded(long size) => (size + 3) & ~3L;
}
