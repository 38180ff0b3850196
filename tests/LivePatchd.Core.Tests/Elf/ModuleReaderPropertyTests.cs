// Damaged files of every producer: reading always ends, with contents or a reason, within its limits.
using System.Buffers.Binary;
using CsCheck;
using LivePatchd.Core.Elf;

namespace LivePatchd.Core.Tests.Elf;

public sealed class ModuleReaderPropertyTests
{
    private static readonly byte[][] Good = [HandWritten(), Kpatch(), KlpBuild()];

    [Fact]
    public void The_undamaged_files_are_read() =>
        Assert.All(Good, static image => Assert.NotNull(ModuleReader.Read(image).Contents?.Patch));

    [Fact]
    public void Any_damage_gives_contents_or_a_reason()
    {
        foreach (var good in Good)
        {
            Gen.Select(Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte).Array[1, 24], Gen.Int[0, 4 * good.Length]).Sample((changes, length) =>
            {
                var image = good.ToArray();
                foreach (var (at, value) in changes)
                    image[at] = value;
                return IsSound(ModuleReader.Read(image.AsSpan(0, Math.Min(length, image.Length))));
            }, iter: Cases.Of(10_000));
        }
    }

    [Fact]
    public void Any_damage_in_telling_words_gives_contents_or_a_reason()
    {
        foreach (var good in Good)
        {
            ulong[] telling = [0, 1, 8, 24, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x1_0000_0000, ulong.MaxValue, ulong.MaxValue - 7, 1UL << 63, (ulong)good.Length];
            var value = Gen.OneOf(Gen.Int[0, telling.Length - 1].Select(i => telling[i]), Gen.ULong, Gen.ULong[0, 512]);
            Gen.Select(Gen.Int[0, (good.Length / 8) - 1].Select(static i => i * 8), value).Array[1, 6].Sample(changes =>
            {
                var image = good.ToArray();
                foreach (var (at, word) in changes)
                    BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(at), word);
                return IsSound(ModuleReader.Read(image));
            }, iter: Cases.Of(20_000));
        }
    }

    [Fact]
    public void Sections_exchanged_give_contents_or_a_reason()
    {
        // Whole section headers put in each other's places: every table is read as every other.
        foreach (var good in Good)
        {
            var table = (int)BinaryPrimitives.ReadUInt64LittleEndian(good.AsSpan(40));
            int count = BinaryPrimitives.ReadUInt16LittleEndian(good.AsSpan(60));
            var field = Gen.Int[0, 7].Select(static i => i * 8);
            Gen.Select(Gen.Int[1, count - 1], Gen.Int[1, count - 1], field).Array[1, 4].Sample(exchanges =>
            {
                var image = good.ToArray();
                foreach (var (from, to, at) in exchanges)
                    good.AsSpan(table + (from * 64) + at, 8).CopyTo(image.AsSpan(table + (to * 64) + at));
                return IsSound(ModuleReader.Read(image));
            }, iter: Cases.Of(20_000));
        }
    }

    [Fact]
    public void Every_prefix_gives_contents_or_a_reason()
    {
        foreach (var good in Good)
        {
            for (var length = 0; length < good.Length; length++)
                Assert.True(IsSound(ModuleReader.Read(good.AsSpan(0, length))));
        }
    }

    [Fact]
    public void Random_bytes_give_a_reason() =>
        Gen.Byte.Array[0, 512].Sample(static bytes => !ModuleReader.Read(bytes).IsModule, iter: Cases.Of(5_000));

    [Fact]
    public void Objects_that_share_one_huge_array_end_the_reading()
    {
        // 1,000 objects that all point to the same 9,000 functions would be nine million.
        var image = new PatchImage();
        image.KlpBuild("__klp_objects", [("m0", [.. Enumerable.Range(0, 9_000).Select(static i => ($"f{i}", 0ul))])]);
        for (var i = 1; i < 1_000; i++)
        {
            var at = image.Reserve("__klp_objects", 64);
            image.PointToText("__klp_objects", at, $"m{i}");
            image.Point("__klp_objects", at + 8, "klp_funcs");
            image.Set("__klp_objects", at + 56, 9_000, 4);
        }
        var module = ModuleReader.Read(image.Build()).Contents;
        Assert.Null(module?.Patch);
        Assert.Contains("larger than any real patch", Assert.Single(module!.Notes), StringComparison.Ordinal);
    }

    private static bool IsSound(ContentsResult result) =>
        (result.Contents is null) == (result.Reason is not null)
        && (result.Contents is not { } module
            || (module.Facts.Length <= 1_000
                && module.References.Sum(static r => r.Symbols.Length + r.Sections.Length) <= 10_000
                && (module.Patch is null || (module.Patch.FunctionCount <= 10_000 && module.Patch.Objects.All(static o => o.Name.Length is > 0 and <= 55)))
                && (module.Patch is null || module.Info.Livepatch)));

    private static byte[] HandWritten()
    {
        var image = new PatchImage { Tail = PatchImage.Trailer(SignatureTrailerTests.ByIssuer) };
        image.HandWritten(replace: true, (null, [("cmdline_proc_show", 0), ("s_show", 2)]), ("nf_tables", []), ("xfs", [("xfs_a", 1)]));
        image.Symbol(".klp.sym.xfs.xfs_b,1", PatchImage.Livepatch, 0, 0);
        image.Extra.Add(new ImageSection(".klp.rela.xfs..text", 4, new byte[24]));
        return image.Build();
    }

    private static byte[] Kpatch()
    {
        var image = new PatchImage();
        image.Kpatch(("vmlinux", "cmdline_proc_show", 0), ("xfs", "xfs_a", 1));
        image.KpatchCallback("pre_patch", "xfs");
        image.KpatchCallback("post_patch");
        return image.Build();
    }

    private static byte[] KlpBuild()
    {
        var image = new PatchImage();
        image.KlpBuild("__klp_objects", (null, [("cmdline_proc_show", 0), ("s_show", 2)]), ("xfs", [("xfs_a", 1)]));
        image.Symbol("__start_klp_objects", image.IndexOf("__klp_objects"), 0, 0);
        image.Symbol("__stop_klp_objects", image.IndexOf("__klp_objects"), 128, 0);
        return image.Build();
    }
}
