// What inspection says about good modules and about each way to be wrong.
using System.Buffers.Binary;
using CsCheck;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Elf;

public sealed class ModuleInspectorTests
{
    private static readonly ushort Machine = new ModuleImage().Machine;

    [Fact]
    public void A_livepatch_module_is_read_completely()
    {
        var image = new ModuleImage
        {
            ModInfo =
            [
                "license=GPL", "srcversion=ABCDEF", "livepatch=Y", "livepatch=N", "depends=ext4,nf_tables", "name=lp_one",
                "vermagic=6.1.0-test SMP preempt mod_unload ",
            ],
        }.Build();

        var result = ModuleInspector.Inspect(image, Machine);

        Assert.True(result.IsModule, result.Detail);
        var module = result.Module;
        Assert.Equal("lp_one", module.Name.Value);
        Assert.Equal("6.1.0-test", module.KernelRelease);
        Assert.True(module.Livepatch);
        Assert.False(module.Signed);
        Assert.Equal("0102030405060708090a0b0c0d0e0f1011121314", module.BuildId?.Hex);
        Assert.Equal("ABCDEF", module.SrcVersion);
        Assert.Equal("GPL", module.License);
        Assert.Equal(["ext4", "nf_tables"], module.Depends);
    }

    [Fact]
    public void A_module_without_livepatch_mark_is_still_a_module()
    {
        var image = new ModuleImage { ModInfo = ["vermagic=6.1.0 SMP "] }.Build();
        var result = ModuleInspector.Inspect(image, Machine);
        Assert.True(result.IsModule, result.Detail);
        Assert.False(result.Module.Livepatch);
        Assert.Empty(result.Module.Depends);
    }

    [Fact]
    public void The_signature_marker_at_the_end_is_seen()
    {
        byte[] image = [.. new ModuleImage().Build(), .. new byte[40], .. "~Module signature appended~\n"u8];
        Assert.True(ModuleInspector.Inspect(image, Machine).Module?.Signed);
    }

    [Fact]
    public void A_missing_build_id_is_no_error()
    {
        var image = new ModuleImage { Without = [".note.gnu.build-id"] }.Build();
        var result = ModuleInspector.Inspect(image, Machine);
        Assert.True(result.IsModule, result.Detail);
        Assert.Null(result.Module.BuildId);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(24)]
    [InlineData(400)]
    public void Inspect_StructuresAreShuffled_NameIsThatOfModInfo(int at)
    {
        var result = ModuleInspector.Inspect(Shuffled("lp_one", at).Build(), Machine);
        Assert.True(result.IsModule, result.Detail);
        Assert.Equal("lp_one", result.Module.Name.Value);
    }

    [Theory]
    [InlineData("lp_two")]
    [InlineData("lp_on")]
    [InlineData("lp_onee")]
    [InlineData("xlp_one")]
    [InlineData("lp_one\0lp_one")]
    [InlineData("lp_one\0lp_two")]
    [InlineData("lp_two\0lp_one")]
    public void Inspect_StructuresAreShuffledAndTheNameIsNotThere_Malformed(string inStruct) =>
        Assert.Equal(Reason.MalformedModule, ModuleInspector.Inspect(Shuffled(inStruct, 100).Build(), Machine).Reason);

    private static ModuleImage Shuffled(string inStruct, int at)
    {
        var structure = new byte[512];
        System.Text.Encoding.ASCII.GetBytes(inStruct).CopyTo(structure, at);
        return new ModuleImage
        {
            ModInfo = ["livepatch=Y", "name=lp_one", $"vermagic={ModuleImage.Release} SMP mod_unload RANDSTRUCT_PLUGIN_0123 "],
            Without = [".gnu.linkonce.this_module"],
            Extra = [(".gnu.linkonce.this_module", 1, structure)],
        };
    }

    public static TheoryData<string, ModuleImage> Malformed => new()
    {
        { "no modinfo", new ModuleImage { Without = [".modinfo"] } },
        { "no module structure", new ModuleImage { Without = [".gnu.linkonce.this_module"] } },
        { "two module structures", new ModuleImage { Extra = [(".gnu.linkonce.this_module", 1, new byte[512])] } },
        { "two modinfos", new ModuleImage { Extra = [(".modinfo", 1, [0])] } },
        { "names differ", new ModuleImage { StructName = "lp_two" } },
        { "no name", new ModuleImage { StructName = "" } },
        { "name with a slash", new ModuleImage { StructName = "a/b", ModInfo = ["vermagic=1 "] } },
        { "name with a dash", new ModuleImage { StructName = "a-b", ModInfo = ["vermagic=1 "] } },
        { "name too long", new ModuleImage { StructName = new string('a', 56), ModInfo = ["vermagic=1 "] } },
        { "no vermagic", new ModuleImage { ModInfo = ["livepatch=Y", "name=lp_one"] } },
        { "empty vermagic", new ModuleImage { ModInfo = ["vermagic="] } },
        { "vermagic with an escape", new ModuleImage { ModInfo = ["vermagic=6.1\u001b[2J "] } },
        { "modinfo without an end", new ModuleImage { Without = [".modinfo"], Extra = [(".modinfo", 1, "vermagic=6.1 "u8.ToArray())] } },
        { "depends on a path", new ModuleImage { ModInfo = ["vermagic=6.1 ", "depends=a,../b"] } },
        { "structure too short", new ModuleImage { Without = [".gnu.linkonce.this_module"], Extra = [(".gnu.linkonce.this_module", 1, new byte[79])] } },
    };

    [Theory]
    [MemberData(nameof(Malformed), DisableDiscoveryEnumeration = true)]
    public void What_makes_no_sense_is_malformed(string what, ModuleImage image)
    {
        var result = ModuleInspector.Inspect(image.Build(), Machine);
        Assert.False(result.IsModule, what);
        Assert.Equal(Reason.MalformedModule, result.Reason);
        Assert.NotEmpty(result.Detail);
    }

    [Theory]
    [InlineData(0, (byte)'x')] // magic
    [InlineData(4, (byte)1)] // 32-bit
    [InlineData(5, (byte)2)] // big-endian
    [InlineData(16, (byte)2)] // executable
    public void Another_kind_of_file_is_no_module(int at, byte value)
    {
        var image = new ModuleImage().Build();
        image[at] = value;
        Assert.Equal(Reason.NotAnElfFile, ModuleInspector.Inspect(image, Machine).Reason);
    }

    [Fact]
    public void A_module_for_another_machine_is_told_apart()
    {
        var image = new ModuleImage { Machine = 8 }.Build();
        Assert.Equal(Reason.WrongMachine, ModuleInspector.Inspect(image, Machine).Reason);
    }

    [Fact]
    public void Section_offsets_that_overflow_are_truncation()
    {
        foreach (var (at, value) in new[] { (24, ulong.MaxValue), (32, ulong.MaxValue), (24, ulong.MaxValue - 8), (32, 1UL << 63) })
        {
            var image = new ModuleImage().Build();
            var table = (int)BinaryPrimitives.ReadUInt64LittleEndian(image.AsSpan(40));
            BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(table + 64 + at), value);
            Assert.Equal(Reason.TruncatedFile, ModuleInspector.Inspect(image, Machine).Reason);
        }
    }

    [Fact]
    public void Every_proper_prefix_is_refused_as_short()
    {
        var image = new ModuleImage().Build();
        for (var length = 0; length < image.Length; length++)
        {
            var result = ModuleInspector.Inspect(image.AsSpan(0, length), Machine);
            Assert.Equal(length < 64 ? Reason.NotAnElfFile : Reason.TruncatedFile, result.Reason);
        }
    }

    [Fact]
    public void Any_damage_gives_a_module_or_a_reason()
    {
        var good = new ModuleImage().Build();
        var change = Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte);
        Gen.Select(change.Array[1, 24], Gen.Int[0, good.Length]).Sample((changes, length) =>
        {
            var image = good.ToArray();
            foreach (var (at, value) in changes)
                image[at] = value;
            var result = ModuleInspector.Inspect(image.AsSpan(0, length), Machine);
            return (result.Module is null) == (result.Reason is not null);
        }, iter: Cases.Of(20_000));
    }

    [Fact]
    public void Any_damage_to_the_headers_gives_a_module_or_a_reason()
    {
        // Damage where it hurts: the ELF header and the section table, in whole words of telling values.
        var good = new ModuleImage().Build();
        var table = (int)BinaryPrimitives.ReadUInt64LittleEndian(good.AsSpan(40));
        var places = Enumerable.Range(0, 60).Concat(Enumerable.Range(table, good.Length - table - 8)).ToArray();
        ulong[] telling = [0, 1, 0x7FFFFFFF, 0x80000000, ulong.MaxValue, 1UL << 63, (ulong)good.Length];
        var value = Gen.OneOf(Gen.Int[0, telling.Length - 1].Select(i => telling[i]), Gen.ULong);
        Gen.Select(Gen.Int[0, places.Length - 1].Select(i => places[i]), value).Array[1, 4].Sample(changes =>
        {
            var image = good.ToArray();
            foreach (var (at, word) in changes)
                BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(at), word);
            var result = ModuleInspector.Inspect(image, Machine);
            return (result.Module is null) == (result.Reason is not null);
        }, iter: Cases.Of(20_000));
    }

    [Fact]
    public void Random_bytes_give_a_reason()
    {
        Gen.Byte.Array[0, 512].Sample(bytes => !ModuleInspector.Inspect(bytes, Machine).IsModule, iter: Cases.Of(5_000));
    }
}
