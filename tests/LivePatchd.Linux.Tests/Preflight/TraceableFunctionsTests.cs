// Functions that ftrace cannot reach, from a tree that looks like proc and tracefs: when the list is read, and what it means.
using System.Text;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Linux.Preflight;

namespace LivePatchd.Linux.Tests.Preflight;

public sealed class TraceableFunctionsTests
{
    private const string List = "/sys/kernel/tracing/available_filter_functions";
    private static readonly Instant Now = new(TimeSpan.FromSeconds(5), DateTimeOffset.UnixEpoch);

    [Fact]
    public void A_function_that_is_not_in_the_list_under_any_name_has_no_place()
    {
        using var root = Tree();
        root.Write(List, "__ftrace_invalid_address___64\n__do_sys_getpid\ncmdline_proc_show\ns_show\ncopied.constprop.0\nnft_do_chain [other]\n");
        var reader = new PreflightReader(root.Root);
        Assert.Equal(["exc_divide_error"], Missing(reader, Patch('a', ("vmlinux", "exc_divide_error", 0), ("vmlinux", "cmdline_proc_show", 0))));
        // One place has three names, and the list has one of them.
        Assert.Empty(Missing(reader, Patch('b', ("vmlinux", "__x64_sys_getpid", 0))));
        // The list does not tell which of several it is.
        Assert.Empty(Missing(reader, Patch('c', ("vmlinux", "s_show", 2))));
        // What does not exist is missing, and that is another reason.
        Assert.Empty(Missing(reader, Patch('d', ("vmlinux", "gone", 0))));
        // The compiler renamed it there, and not here.
        Assert.Empty(Missing(reader, Patch('e', ("vmlinux", "copied", 0))));
        // Whose address is hidden, of him it is not known what other names he has.
        Assert.Empty(Missing(reader, Patch('f', ("vmlinux", "hidden", 0))));
    }

    [Fact]
    public void A_function_of_a_module_is_asked_for_once_that_is_loaded()
    {
        using var root = Tree();
        root.Write(List, "nft_do_chain\nnft_other [nf_tables]\n");
        var patch = Patch('a', ("nf_tables", "nft_do_chain", 0), ("nf_tables", "nft_other", 0));
        var reader = new PreflightReader(root.Root);
        Assert.Empty(Missing(reader, patch));
        root.Write("/sys/module/nf_tables/initstate", "live\n");
        Assert.Equal(["nft_do_chain"], Missing(reader, patch));
    }

    [Fact]
    public void Right_before_a_load_the_list_is_not_read_and_what_is_known_is_used()
    {
        using var root = Tree();
        root.Write(List, "cmdline_proc_show\n");
        var patch = Patch('a', ("vmlinux", "exc_divide_error", 0));
        var reader = new PreflightReader(root.Root);
        Assert.Empty(Missing(reader, patch, inHaste: true));
        Assert.Equal(["exc_divide_error"], Missing(reader, patch));
        Assert.Equal(["exc_divide_error"], Missing(reader, patch, inHaste: true));
        // It is read once.
        File.Delete(root.Path(List));
        Assert.Equal(["exc_divide_error"], Missing(reader, patch));
    }

    [Fact]
    public void The_places_of_the_kernel_itself_are_known_from_the_first_pass()
    {
        using var root = Tree();
        root.Write(List, "cmdline_proc_show\ns_show [other]\n");
        var reader = new PreflightReader(root.Root);
        Assert.Equal(["exc_divide_error"], Missing(reader, Patch('a', ("vmlinux", "exc_divide_error", 0))));
        root.Write(List, "other\n");
        Assert.Empty(Missing(reader, Patch('b', ("vmlinux", "cmdline_proc_show", 0))));
        Assert.Equal(["s_show"], Missing(reader, Patch('c', ("vmlinux", "s_show", 1))));
    }

    [Fact]
    public void A_list_that_is_not_there_says_nothing_and_is_looked_for_again()
    {
        using var root = Tree();
        var patch = Patch('a', ("vmlinux", "exc_divide_error", 0));
        var reader = new PreflightReader(root.Root);
        Assert.Empty(Missing(reader, patch));
        root.Write(List, "");
        Assert.Empty(Missing(reader, patch));
        root.Write(List, "cmdline_proc_show\n");
        Assert.Equal(["exc_divide_error"], Missing(reader, patch));

        // The place before there was tracefs.
        using var old = Tree();
        old.Write("/sys/kernel/debug/tracing/available_filter_functions", "cmdline_proc_show\n");
        Assert.Equal(["exc_divide_error"], Missing(new PreflightReader(old.Root), patch));
    }

    [Fact]
    public void Patches_together_are_looked_up_each_for_itself()
    {
        using var root = Tree();
        root.Write(List, "cmdline_proc_show\n");
        PatchModule[] patches = [Patch('a', ("vmlinux", "exc_divide_error", 0)), Patch('b', ("vmlinux", "cmdline_proc_show", 0)), Patch('c')];
        var facts = new PreflightReader(root.Root).Read(patches, Now);
        Assert.Equal([1, 0, 0], patches.Select(p => facts.Symbols[p.Digest].NotTraceable.Length));
    }

    [Fact]
    public void A_stranger_is_one_whose_key_no_keyring_has()
    {
        using var root = Tree();
        root.Write("/proc/keys", "363bd491 I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: 1\n");
        var stranger = Signed('a', "12ab");
        var known = Signed('b', "600d");
        var reader = new PreflightReader(root.Root, static (_, description) => SysResult.Fail(
            description switch { "ex:0" => Errno.EINVAL, "ex:600d" => Errno.EACCES, _ => Errno.ENOKEY }, "keyctl"));
        Assert.Equal([stranger.Digest], reader.Read([stranger, known, Patch('c')], Now).Strangers);
        Assert.Equal([stranger.Digest], reader.Read([stranger], Now, inHaste: true).Strangers);
        Assert.Empty(new PreflightReader(root.Root).Read([stranger], Now).Strangers);
    }

    private static PatchModule Signed(char id, string lookup)
    {
        var patch = Patch(id);
        return patch with { Info = patch.Info with { Signed = true, Signers = [new ModuleSigner("CN=x", "12", null, "sha256", "rsa") { Lookup = lookup }] } };
    }

    private static IEnumerable<string> Missing(PreflightReader reader, PatchModule patch, bool inHaste = false) =>
        reader.Read([patch], Now, inHaste).Symbols[patch.Digest].NotTraceable.Select(static n => n.Name);

    private static FakeRoot Tree()
    {
        var root = new FakeRoot();
        var text = new StringBuilder();
        foreach (var name in (string[])["__do_sys_getpid", "__ia32_sys_getpid", "__x64_sys_getpid"])
            text.Append($"ffffffff81000000 T {name}\n");
        var address = 0xffffffff81001000;
        foreach (var name in (string[])["cmdline_proc_show", "s_show", "s_show", "exc_divide_error", "copied"])
            text.Append($"{address += 16:x} T {name}\n");
        text.Append("0000000000000000 T hidden\n");
        text.Append("ffffffffc0400000 t nft_do_chain\t[nf_tables]\nffffffffc0400010 t nft_other\t[nf_tables]\n");
        root.Write("/proc/kallsyms", text.ToString());
        return root;
    }

    private static PatchModule Patch(char id, params (string Object, string Name, ulong Position)[] functions) =>
        new(new ModuleInfo(PatchName.Parse("lp_" + id), "6.12.0 SMP", true, false, null, null, null, []), Sha256.TryParse(new string(id, 64))!.Value, ModuleCompression.None, 1000)
        {
            Footprint = new PatchFootprint(
                functions.Length == 0 ? null : new PatchTables(
                    PatchTablesSource.KpatchBuild,
                    [.. functions.GroupBy(f => f.Object).Select(g => new PatchedObject(g.Key, [.. g.Select(f => new PatchedFunction(f.Name, f.Position))], PatchCallbacks.None))],
                    null, []),
                []),
        };
}
