// What is read from whole files of every producer, and what is not claimed.
using System.Globalization;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Elf;

public sealed class ModuleReaderTests
{
    private static readonly (string, ulong)[] NoFunctions = [];

    [Fact]
    public void All_of_modinfo_is_told()
    {
        var image = new PatchImage { ModInfo = ["version=1.2", "license=GPL", "=odd", "intree=Y", "retpoline=Y", "name=lp_one", "parm=a:b=c", "vermagic=6.1 SMP "] };
        var module = Read(image);
        Assert.Equal(["version", "license", "intree", "retpoline", "name", "parm", "vermagic"], module.Facts.Select(static f => f.Key));
        Assert.Equal("a:b=c", module.Fact("parm"));
        Assert.Equal("1.2", module.Fact("version"));
        Assert.Null(module.Fact("srcversion"));
        Assert.Equal(62, module.Machine);
        Assert.Null(module.Patch);
        Assert.Null(module.Signature);
        Assert.Contains(".modinfo", Assert.Single(module.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Modinfo_that_never_ends_is_cut_and_said_to_be()
    {
        var aliases = Enumerable.Range(0, 2_000).Select(static i => $"alias=pci:{i}");
        var module = Read(new PatchImage { ModInfo = ["vermagic=6.1 ", .. aliases] });
        Assert.Equal(1_000, module.Facts.Length);
        Assert.Single(module.Notes);
        module = Read(new PatchImage { ModInfo = ["vermagic=6.1 ", "description=" + new string('x', 5_000)] });
        Assert.Equal(1_024, module.Fact("description")?.Length);
        Assert.Single(module.Notes);
    }

    [Fact]
    public void A_file_that_is_no_module_gives_the_inspectors_reason()
    {
        Assert.Equal(Reason.NotAnElfFile, ModuleReader.Read([]).Reason);
        Assert.Equal(Reason.MalformedModule, ModuleReader.Read(new ModuleImage { StructName = "" }.Build()).Reason);
        Assert.Equal(Reason.TruncatedFile, ModuleReader.Read(new ModuleImage().Build().AsSpan(0, 200)).Reason);
    }

    [Fact]
    public void A_module_for_a_machine_nobody_knows_is_read_as_far_as_can_be()
    {
        var module = Read(new PatchImage { Machine = 999 });
        Assert.Null(module.Patch);
        Assert.Contains("machine", Assert.Single(module.Notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(62)]
    [InlineData(183)]
    public void Kpatch_build(int machine)
    {
        var image = new PatchImage { Machine = (ushort)machine };
        image.Kpatch(("vmlinux", "cmdline_proc_show", 0), ("nf_tables", "nft_do_chain", 1), ("vmlinux", "s_show.llvm.1234", 3));
        image.KpatchCallback("pre_patch", "vmlinux");
        image.KpatchCallback("post_unpatch", "vmlinux", "xfs");
        image.KpatchCallback("post_patch");
        var patch = Patch(image, PatchTablesSource.KpatchBuild);
        Assert.Null(patch.Replace);
        Assert.Equal(["vmlinux:cmdline_proc_show,0", "vmlinux:s_show.llvm.1234,3", "nf_tables:nft_do_chain,1"], Flat(patch));
        Assert.Equal([PatchCallbacks.PrePatch | PatchCallbacks.PostUnpatch, PatchCallbacks.None, PatchCallbacks.PostUnpatch], patch.Objects.Select(static o => o.Callbacks));
        Assert.Equal(3, patch.FunctionCount);
    }

    [Theory]
    [InlineData("__klp_objects", true)]
    [InlineData("__klp_objects", false)]
    [InlineData(".init.klp_objects", false)]
    public void Klp_build(string section, bool bySymbols)
    {
        var image = new PatchImage();
        image.KlpBuild(section, (null, [("cmdline_proc_show", 0), ("s_show", 2)]), ("nf_tables", [("nft_do_chain", 1)]), ("xfs", NoFunctions));
        image.Point(section, 64 + 24, PatchImage.Code);
        if (bySymbols)
        {
            image.Symbol("__start_klp_objects", image.IndexOf(section), 0, 0);
            image.Symbol("__stop_klp_objects", image.IndexOf(section), 192, 0);
        }
        var patch = Patch(image, PatchTablesSource.KlpBuild);
        Assert.Null(patch.Replace);
        Assert.Equal(["vmlinux:cmdline_proc_show,0", "vmlinux:s_show,2", "nf_tables:nft_do_chain,1"], Flat(patch));
        Assert.Equal(["vmlinux", "nf_tables", "xfs"], patch.Objects.Select(static o => o.Name));
        Assert.Equal(PatchCallbacks.PostPatch, patch.Objects[1].Callbacks);
    }

    [Theory]
    [InlineData(152, 168, false)]
    [InlineData(152, 168, true)]
    [InlineData(240, 256, false)] // a kernel that debugs its kobjects
    [InlineData(312, 400, false)]
    public void Hand_written(int functionSize, int objectSize, bool withoutSizes)
    {
        var image = new PatchImage { WithoutSizes = withoutSizes };
        var patchAt = image.HandWritten(functionSize, objectSize, replace: true, (null, [("cmdline_proc_show", 0), ("s_show", 2)]), ("nf_tables", NoFunctions));
        image.Point(PatchImage.Data, patchAt + 208 + objectSize + 16 - 8, PatchImage.Code);
        image.Point(PatchImage.Data, patchAt + 208 + objectSize + 40 - 8, PatchImage.Code);
        image.Point(PatchImage.Code, 3, PatchImage.Data, patchAt - 4, type: 2); // the call of klp_enable_patch
        var patch = Patch(image, PatchTablesSource.HandWritten);
        Assert.True(patch.Replace);
        Assert.Equal(["vmlinux:cmdline_proc_show,0", "vmlinux:s_show,2"], Flat(patch));
        Assert.Equal(["vmlinux", "nf_tables"], patch.Objects.Select(static o => o.Name));
        Assert.Equal(PatchCallbacks.PrePatch | PatchCallbacks.PostUnpatch, patch.Objects[1].Callbacks);
        Assert.Empty(patch.States);
    }

    [Fact]
    public void Many_functions_in_many_objects()
    {
        var image = new PatchImage();
        image.HandWritten(replace: false, [.. Enumerable.Range(0, 40).Select(static o => ((string?)$"mod{o}", Enumerable.Range(0, 30).Select(f => ($"f{o}_{f}", (ulong)f)).ToArray()))]);
        var patch = Patch(image, PatchTablesSource.HandWritten);
        Assert.False(patch.Replace);
        Assert.Equal(1_200, patch.FunctionCount);
        Assert.Equal("mod39:f39_29,29", Flat(patch).Last());
    }

    [Fact]
    public void System_states_are_told()
    {
        var image = Simple(out var patch);
        var states = image.Array("states", 72);
        image.Point(PatchImage.Data, patch + 16, PatchImage.Data, states);
        image.Set(PatchImage.Data, states, 7);
        image.Set(PatchImage.Data, states + 8, 2, 4);
        image.Set(PatchImage.Data, states + 24, 9);
        image.Point(PatchImage.Data, states + 40, PatchImage.Code);
        Assert.Equal([new SystemState(7, 2), new SystemState(9, 0)], Patch(image, PatchTablesSource.HandWritten).States);
    }

    [Theory]
    [InlineData(24 - 4, 2u)] // mov %al,patch+24(%rip)
    [InlineData(24 - 5, 2u)] // movb $1,patch+24(%rip)
    [InlineData(24, 11u)] // by its absolute address
    public void Whether_it_replaces_is_not_told_when_code_decides(int addend, uint type)
    {
        var image = Simple(out var patch);
        image.Point(PatchImage.Code, 8, PatchImage.Data, patch + addend, type);
        var tables = Patch(image, PatchTablesSource.HandWritten);
        Assert.Null(tables.Replace);
        Assert.Equal(1, tables.FunctionCount);
    }

    [Fact]
    public void Whether_it_replaces_is_not_told_where_code_leaves_no_trace()
    {
        var image = new PatchImage { Machine = 183 };
        image.HandWritten(replace: true, (null, [("f", 0)]));
        Assert.Null(Patch(image, PatchTablesSource.HandWritten).Replace);
    }

    public static TheoryData<string, Action<PatchImage, int>> Doubts => new()
    {
        { "nobody enables it", static (i, _) => i.Without("klp_enable_patch") },
        { "code writes the objects pointer", static (i, p) => i.Point(PatchImage.Code, 8, PatchImage.Data, p + 8 - 4, 2) },
        { "code writes into the objects", static (i, p) => i.Point(PatchImage.Code, 8, PatchImage.Data, p + 200 - 4, 2) },
        { "code writes into the functions", static (i, p) => i.Point(PatchImage.Code, 8, PatchImage.Data, p + 200 + 336 + 16, 11) },
        { "there are two", static (i, _) => i.HandWritten(replace: false, (null, [("g", 0)])) },
        { "the kernel's part of the patch is not zero", static (i, p) => i.Set(PatchImage.Data, p + 40, 1) },
        { "replace is no bool", static (i, p) => i.Set(PatchImage.Data, p + 24, 2) },
        { "replace is a pointer", static (i, p) => i.Point(PatchImage.Data, p + 24, PatchImage.Code) },
        { "states that do not end", static (i, p) => i.Point(PatchImage.Data, p + 16, PatchImage.Code, 255) },
        { "the kernel's part of the object is not zero", static (i, p) => i.Set(PatchImage.Data, p + 200 + 64, 1) },
        { "the kernel's part of the function is not zero", static (i, p) => i.Set(PatchImage.Data, p + 200 + 336 + 100, 1) },
        { "the terminator is none", static (i, p) => i.Set(PatchImage.Data, p + 200 + 336 + 152 + 16, 1) },
        { "the post-unpatch flag is set", static (i, p) => i.Set(PatchImage.Data, p + 200 + 48, 1) },
        { "the position is absurd", static (i, p) => i.Set(PatchImage.Data, p + 200 + 336 + 16, ulong.MaxValue) },
        { "two relocations at one place", static (i, p) => i.Point(PatchImage.Data, p + 8, PatchImage.Data, p + 200) },
    };

    [Theory]
    [MemberData(nameof(Doubts), DisableDiscoveryEnumeration = true)]
    public void A_hand_written_patch_is_not_claimed_when_in_doubt(string doubt, Action<PatchImage, int> change)
    {
        var image = Simple(out var patch);
        Assert.Equal(1, Patch(image, PatchTablesSource.HandWritten).FunctionCount);
        change(image, patch);
        Unclear(image, doubt);
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("key=value")]
    [InlineData("f,1")]
    [InlineData("\u001b[31m")]
    [InlineData("umlaut\u00fc")]
    [InlineData("")]
    public void A_name_that_is_none_is_not_claimed(string name)
    {
        var written = new PatchImage();
        written.HandWritten(replace: false, (null, [(name, 0)]));
        Unclear(written, "hand-written");
        var kpatch = new PatchImage();
        kpatch.Kpatch(("vmlinux", name, 0));
        Unclear(kpatch, "kpatch");
        var klp = new PatchImage();
        klp.KlpBuild("__klp_objects", (null, [(name, 0)]));
        Unclear(klp, "klp-build");
    }

    [Fact]
    public void The_longest_name_is_a_name_and_a_longer_one_is_not()
    {
        var image = new PatchImage();
        image.HandWritten(replace: false, (null, [(new string('f', 511), 0)]));
        Assert.Equal(511, Patch(image, PatchTablesSource.HandWritten).Objects[0].Functions[0].Name.Length);
        image = new PatchImage();
        image.HandWritten(replace: false, (null, [(new string('f', 512), 0)]));
        Unclear(image, "512");
    }

    [Fact]
    public void Another_structure_that_points_to_its_module_is_no_patch()
    {
        var image = Simple(out _);
        var operations = image.Array("fops", 256);
        image.Point(PatchImage.Data, operations, PatchImage.ThisModule);
        image.Point(PatchImage.Data, operations + 8, PatchImage.Code);
        image.Point(PatchImage.Data, operations + 64, PatchImage.Code);
        Assert.Equal(1, Patch(image, PatchTablesSource.HandWritten).FunctionCount);
        image = new PatchImage();
        operations = image.Array("fops", 256);
        image.Point(PatchImage.Data, operations, PatchImage.ThisModule);
        image.Point(PatchImage.Data, operations + 8, PatchImage.Code);
        Unclear(image, "fops");
    }

    [Fact]
    public void A_module_that_is_no_livepatch_has_no_tables()
    {
        var image = new PatchImage { ModInfo = ["vermagic=6.1 "] };
        image.HandWritten(replace: false, (null, [("f", 0)]));
        var module = Read(image);
        Assert.Null(module.Patch);
        Assert.Empty(module.Notes);
    }

    [Fact]
    public void Tables_of_two_tools_are_not_claimed()
    {
        var image = new PatchImage();
        image.Kpatch(("vmlinux", "f", 0));
        image.KlpBuild("__klp_objects", (null, [("f", 0)]));
        Unclear(image, "two tools");
    }

    [Fact]
    public void Kpatch_tables_that_make_no_sense_are_not_claimed()
    {
        var odd = new PatchImage();
        odd.Kpatch(("vmlinux", "f", 0));
        odd.Reserve(".kpatch.funcs", 8);
        Unclear(odd, "size");
        var unresolved = new PatchImage();
        unresolved.Kpatch();
        unresolved.Reserve(".kpatch.funcs", 56);
        Unclear(unresolved, "no relocations");
        var callback = new PatchImage();
        callback.Kpatch(("vmlinux", "f", 0));
        callback.KpatchCallback("pre_patch", "vmlinux");
        callback.Set(".kpatch.callbacks.pre_patch", 16, 1);
        Unclear(callback, "callback");
        var twice = new PatchImage();
        twice.Kpatch(("vmlinux", "f", 0));
        twice.Extra.Add(new ImageSection(".kpatch.funcs", 1, []));
        Unclear(twice, "two sections");
    }

    [Theory]
    [InlineData(0, 63)]
    [InlineData(64, 0)]
    [InlineData(0, 640)]
    public void Klp_build_bounds_that_make_no_sense_are_not_claimed(int start, int stop)
    {
        var image = new PatchImage();
        image.KlpBuild("__klp_objects", (null, [("f", 0)]));
        image.Symbol("__start_klp_objects", image.IndexOf("__klp_objects"), (ulong)start, 0);
        image.Symbol("__stop_klp_objects", image.IndexOf("__klp_objects"), (ulong)stop, 0);
        Unclear(image, $"{start} {stop}");
    }

    [Fact]
    public void A_count_of_functions_is_not_believed()
    {
        foreach (var count in (ulong[])[2, 10_001, uint.MaxValue])
        {
            var image = new PatchImage();
            image.KlpBuild("__klp_objects", (null, [("f", 0)]));
            image.Set("__klp_objects", 56, count, 4);
            Unclear(image, count.ToString(CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public void More_functions_than_any_patch_has_are_not_listed()
    {
        var image = new PatchImage();
        image.Kpatch([.. Enumerable.Range(0, 10_001).Select(static i => ("vmlinux", $"f{i}", 0ul))]);
        Assert.Contains("larger than any real patch", Unclear(image, "10,001"), StringComparison.Ordinal);
        image = new PatchImage();
        image.Kpatch([.. Enumerable.Range(0, 10_000).Select(static i => ("vmlinux", $"f{i}", 0ul))]);
        Assert.Equal(10_000, Patch(image, PatchTablesSource.KpatchBuild).FunctionCount);
        image = new PatchImage();
        var name = new string('n', 500);
        image.Kpatch([.. Enumerable.Range(0, 2_200).Select(i => ("vmlinux", $"{name}{i}", 0ul))]);
        Assert.Contains("larger than any real patch", Unclear(image, "names"), StringComparison.Ordinal);
        image = new PatchImage();
        image.Kpatch([.. Enumerable.Range(0, 1_001).Select(static i => ($"m{i}", "f", 0ul))]);
        Assert.Contains("larger than any real patch", Unclear(image, "objects"), StringComparison.Ordinal);
    }

    [Fact]
    public void References_are_told_by_object()
    {
        var image = Simple(out _);
        image.Symbol(".klp.sym.nf_tables.nft_do.chain,1", PatchImage.Livepatch, 0, 0);
        image.Symbol(".klp.sym.vmlinux.printk,0", PatchImage.Livepatch, 0, 0);
        image.Symbol(".klp.sym.nf_tables.other,0", PatchImage.Livepatch, 0, 0);
        image.Symbol(".klp.sym.vmlinux.not_live,0", 0, 0, 0);
        image.Extra.Add(new ImageSection(".klp.rela.nf_tables..text.new", 4, new byte[48], 0x100002, 0, image.IndexOf(PatchImage.Data)));
        var module = Read(image);
        Assert.Equal(["nf_tables", "vmlinux"], module.References.Select(static r => r.Object));
        Assert.Equal([new ReferencedSymbol("nft_do.chain", 1), new ReferencedSymbol("other", 0)], module.References[0].Symbols);
        Assert.Equal([new RelocatedSection(".text.new", 2)], module.References[0].Sections);
        Assert.Equal([new ReferencedSymbol("printk", 0)], module.References[1].Symbols);
        Assert.Empty(module.References[1].Sections);
        Assert.NotNull(module.Patch);
        Assert.Empty(module.Notes);
    }

    [Theory]
    [InlineData(".klp.sym.vmlinux.f")]
    [InlineData(".klp.sym.vmlinux.f,")]
    [InlineData(".klp.sym.vmlinux.f,-1")]
    [InlineData(".klp.sym.vmlinux.f,99999999999999999999")]
    [InlineData(".klp.sym.vmlinux,1")]
    [InlineData(".klp.sym..f,1")]
    [InlineData(".klp.sym.vmlinux.,1")]
    [InlineData(".klp.sym.vmlinux.a b,1")]
    [InlineData("f")]
    public void A_reference_that_makes_no_sense_is_left_out_and_said_to_be(string name)
    {
        var image = Simple(out _);
        image.Symbol(name, PatchImage.Livepatch, 0, 0);
        var module = Read(image);
        Assert.Empty(module.References);
        Assert.Contains("references", Assert.Single(module.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void References_without_end_are_cut_and_said_to_be()
    {
        var image = Simple(out _);
        for (var i = 0; i < 10_050; i++)
            image.Symbol($".klp.sym.vmlinux.f{i},0", PatchImage.Livepatch, 0, 0);
        var module = Read(image);
        Assert.Equal(10_000, Assert.Single(module.References).Symbols.Length);
        Assert.Contains("references", Assert.Single(module.Notes), StringComparison.Ordinal);
    }

    private static PatchImage Simple(out int patch)
    {
        var image = new PatchImage();
        patch = image.HandWritten(replace: false, (null, [("f", 0)]));
        return image;
    }

    private static ModuleContents Read(PatchImage image)
    {
        var result = ModuleReader.Read(image.Build());
        Assert.True(result.IsModule, result.Detail);
        return result.Contents;
    }

    private static PatchTables Patch(PatchImage image, PatchTablesSource source)
    {
        var module = Read(image);
        Assert.True(module.Patch is not null, string.Join(' ', module.Notes));
        Assert.Empty(module.Notes);
        Assert.Equal(source, module.Patch.Source);
        return module.Patch;
    }

    private static string Unclear(PatchImage image, string what)
    {
        var module = Read(image);
        Assert.True(module.Patch is null, what);
        return Assert.Single(module.Notes);
    }

    private static IEnumerable<string> Flat(PatchTables patch) =>
        patch.Objects.SelectMany(static o => o.Functions.Select(f => string.Create(CultureInfo.InvariantCulture, $"{o.Name}:{f.Name},{f.Position}")));
}
