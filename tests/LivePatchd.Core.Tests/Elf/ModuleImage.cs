// Builds small kernel module images for tests, whole or wrong in one chosen way.
using System.Buffers.Binary;
using System.Text;

namespace LivePatchd.Core.Tests.Elf;

public sealed class ModuleImage
{
    public const string Release = "6.1.0-test-amd64";

    public ushort Machine { get; init; } = System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
        == System.Runtime.InteropServices.Architecture.Arm64 ? (ushort)183 : (ushort)62;

    public string StructName { get; init; } = "lp_one";

    public List<string> ModInfo { get; init; } =
        ["license=GPL", "livepatch=Y", "depends=", "name=lp_one", $"vermagic={Release} SMP mod_unload "];

    public byte[] BuildId { get; init; } = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];

    public byte[]? Text { get; init; }

    public List<(string Name, uint Type, byte[] Content)> Extra { get; init; } = [];

    /// <summary>Sections that refer to others, behind all the rest; the first has the index <see cref="FirstLinked"/> when nothing is left out or added.</summary>
    public List<ImageSection> Linked { get; init; } = [];

    public const int FirstLinked = 6;

    public HashSet<string> Without { get; init; } = [];

    public static ModuleImage Named(string name, string release = Release, string? filler = null) => new()
    {
        StructName = name,
        ModInfo = ["license=GPL", "livepatch=Y", "depends=", $"name={name}", $"vermagic={release} SMP mod_unload ", $"filler={filler}"],
    };

    public byte[] Build()
    {
        var sections = new List<(string Name, uint Type, byte[] Content)>
        {
            (".text", 1, Text ?? new byte[64]),
            (".bss", 8, []),
            (".modinfo", 1, Encoding.ASCII.GetBytes(string.Concat(ModInfo.Select(e => e + "\0")))),
            (".gnu.linkonce.this_module", 1, ThisModule()),
            (".note.gnu.build-id", 7, Note("GNU\0"u8.ToArray(), 3, BuildId)),
        };
        sections.RemoveAll(s => Without.Contains(s.Name));
        sections.AddRange(Extra);
        var linkedFrom = sections.Count;
        sections.AddRange(Linked.Select(s => (s.Name, s.Type, s.Content)));

        var names = new MemoryStream();
        names.WriteByte(0);
        var offsets = new List<uint>();
        foreach (var name in sections.Select(s => s.Name).Append(".shstrtab"))
        {
            offsets.Add((uint)names.Position);
            names.Write(Encoding.ASCII.GetBytes(name + "\0"));
        }
        sections.Add((".shstrtab", 3, names.ToArray()));

        var file = new MemoryStream();
        file.Write(new byte[64]);
        var table = new MemoryStream();
        table.Write(new byte[64]);
        for (var i = 0; i < sections.Count; i++)
        {
            var (_, type, content) = sections[i];
            var entry = new byte[64];
            BinaryPrimitives.WriteUInt32LittleEndian(entry, offsets[i]);
            BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(4), type);
            BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(24), (ulong)file.Position);
            BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(32), type == 8 ? 1UL << 40 : (ulong)content.Length);
            if (i >= linkedFrom && i - linkedFrom < Linked.Count)
            {
                var linked = Linked[i - linkedFrom];
                BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(8), linked.Flags);
                BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(40), linked.Link);
                BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(44), linked.Info);
            }
            table.Write(entry);
            file.Write(content);
        }
        var tableOffset = file.Position;
        table.WriteTo(file);

        var image = file.ToArray();
        "\u007fELF"u8.CopyTo(image);
        image[4] = 2;
        image[5] = 1;
        image[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(16), 1);
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(18), Machine);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(40), (ulong)tableOffset);
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(58), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(60), (ushort)(sections.Count + 1));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(62), (ushort)sections.Count);
        return image;
    }

    public static byte[] Note(byte[] name, uint type, byte[] descriptor)
    {
        var note = new MemoryStream();
        Span<byte> word = stackalloc byte[4];
        foreach (var value in new[] { (uint)name.Length, (uint)descriptor.Length, type })
        {
            BinaryPrimitives.WriteUInt32LittleEndian(word, value);
            note.Write(word);
        }
        foreach (var part in new[] { name, descriptor })
        {
            note.Write(part);
            note.Write(new byte[-part.Length & 3]);
        }
        return note.ToArray();
    }

    private byte[] ThisModule()
    {
        var module = new byte[512];
        Encoding.ASCII.GetBytes(StructName).CopyTo(module, 24);
        return module;
    }
}

public sealed record ImageSection(string Name, uint Type, byte[] Content, ulong Flags = 0, int Link = 0, int Info = 0);
