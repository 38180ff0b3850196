// Patches of any objects and functions, laid out as each tool does for each machine, are read back as they are.
using System.Text;
using CsCheck;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Elf;

public sealed class ReadBackTests
{
    private static readonly Gen<string> Symbol = Gen.String[Gen.Char["abcdefghijklmnopqrstuvwxyzABC_"], 1, 40];

    // Null is the kernel itself; names differ, as the kernel demands.
    private static readonly Gen<(string? Object, (string Name, ulong Position)[] Functions)[]> Objects =
        Gen.Select(Symbol.Null(), Gen.Select(Symbol, Gen.ULong[0, 9]).Array[1, 6]).Array[1, 6].Select(static objects =>
            objects.DistinctBy(static o => o.Item1).Select(static o => (o.Item1, o.Item2)).ToArray());

    private static readonly Gen<ushort> Machine = Gen.Bool.Select(static arm => (ushort)(arm ? 183 : 62));

    [Fact]
    public void Hand_written() => Gen.Select(Objects, Machine, Gen.Bool).Sample((objects, machine, replace) =>
    {
        var image = new PatchImage { Machine = machine };
        image.HandWritten(replace, objects);
        var patch = Read(image, PatchTablesSource.HandWritten, objects);
        Assert.Equal(machine == ElfMachine.X64 ? replace : null, patch.Replace);
    }, iter: 500);

    [Fact]
    public void Klp_build() => Gen.Select(Objects, Machine).Sample((objects, machine) =>
    {
        var image = new PatchImage { Machine = machine };
        image.KlpBuild("__klp_objects", objects);
        Read(image, PatchTablesSource.KlpBuild, objects);
    }, iter: 500);

    [Fact]
    public void Kpatch_build() => Gen.Select(Objects, Machine).Sample((objects, machine) =>
    {
        var image = new PatchImage { Machine = machine };
        image.Kpatch([.. objects.SelectMany(static o => o.Functions.Select(f => (o.Object ?? PatchedObject.Vmlinux, f.Name, f.Position)))]);
        Read(image, PatchTablesSource.KpatchBuild, objects);
    }, iter: 500);

    [Fact]
    public void Modinfo() => Gen.Select(Gen.String[Gen.Char["abcdefghijklmnop_."], 1, 64], Gen.String[Gen.Char[' ', '~'], 0, 200]).Array[0, 30].Sample(pairs =>
    {
        var section = Encoding.ASCII.GetBytes(string.Concat(pairs.Select(static p => $"{p.Item1}={p.Item2}\0")));
        var facts = ModInfoFacts.Read(section, out var isIncomplete);
        Assert.False(isIncomplete);
        Assert.Equal(pairs.Select(static p => new ModInfoFact(p.Item1, p.Item2)), facts);
        // The first of a key is the one that counts.
        foreach (var (key, _) in pairs)
        {
            Assert.True(new ModInfo(section).TryGet(Encoding.ASCII.GetBytes(key), out var value));
            Assert.Equal(pairs.First(p => p.Item1 == key).Item2, Encoding.ASCII.GetString(value));
        }
    });

    [Fact]
    public void Der() => Gen.Select(Gen.Byte[0, 30], Gen.Byte.Array[0, 300]).Array[0, 6].Sample(elements =>
    {
        var bytes = elements.SelectMany(static e => Encoded(e.Item1, e.Item2)).ToArray();
        var reader = new DerReader(bytes);
        foreach (var (tag, content) in elements)
        {
            Assert.True(reader.TryRead(out var readTag, out var read));
            Assert.Equal(tag, readTag);
            Assert.Equal(content, read);
        }
        Assert.True(reader.IsAtEnd);
        Assert.False(reader.TryRead(out _, out _));
        // Never beyond the end: the last element of what was cut off is not read.
        if (bytes.Length > 0)
        {
            var cut = new DerReader(bytes.AsSpan(0, bytes.Length - 1));
            for (var i = 1; i < elements.Length; i++)
                Assert.True(cut.TryRead(out _, out _));
            Assert.False(cut.TryRead(out _, out _));
        }
    });

    private static byte[] Encoded(byte tag, byte[] content) => content.Length switch
    {
        < 128 => [tag, (byte)content.Length, .. content],
        < 256 => [tag, 0x81, (byte)content.Length, .. content],
        _ => [tag, 0x82, (byte)(content.Length >> 8), (byte)content.Length, .. content],
    };

    private static PatchTables Read(PatchImage image, PatchTablesSource source, (string? Object, (string Name, ulong Position)[] Functions)[] objects)
    {
        var bytes = image.Build();
        var patch = ModuleReader.Read(bytes).Contents?.Patch;
        Assert.Equal(source, patch?.Source);
        Assert.Equal(
            objects.Select(static o => (o.Object ?? PatchedObject.Vmlinux, string.Join(' ', o.Functions))),
            patch!.Objects.Select(static o => (o.Name, string.Join(' ', o.Functions.Select(static f => (f.Name, f.Position))))));
        return patch;
    }
}
