// What loads are foreseen from, read from a tree that looks like proc, sysfs and tracefs, and from the running kernel.
using System.Text;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Linux.Preflight;

namespace LivePatchd.Linux.Tests.Preflight;

public sealed class PreflightReaderTests
{
    private static readonly Instant Now = new(TimeSpan.FromSeconds(5), DateTimeOffset.UnixEpoch);

    [Fact]
    public void Symbols_are_counted_and_the_index_agrees()
    {
        using var root = new FakeRoot();
        root.Write("/proc/kallsyms", Symbols("s_show", "s_show", "cmdline_proc_show", "uptime.cold"));
        PatchModule[] patches = [Patch('a', ("vmlinux", "cmdline_proc_show", 0)), Patch('b', ("vmlinux", "s_show", 0)), Patch('c', ("vmlinux", "uptime", 0)), Patch('d', ("vmlinux", "s_show", 2))];
        foreach (var prepared in (bool[])[false, true])
        {
            var reader = new PreflightReader(root.Root);
            if (prepared)
                reader.Prepare();
            var facts = reader.Read(patches, Now);
            Assert.True(reader.IsPrepared);
            Assert.All(patches, p => Assert.True(facts.Covers(p.Digest) && facts.Symbols[p.Digest].Unknown is null));
            Assert.Empty(facts.Symbols[patches[0].Digest].Findings);
            Assert.Equal(2, Assert.Single(facts.Symbols[patches[1].Digest].Findings).Count);
            Assert.Equal(["uptime.cold"], Assert.Single(facts.Symbols[patches[2].Digest].Findings).Variants);
            Assert.Empty(facts.Symbols[patches[3].Digest].Findings);
        }
    }

    [Fact]
    public void A_list_of_symbols_that_is_hidden_makes_nothing_missing()
    {
        using var root = new FakeRoot();
        var patch = Patch('a', ("vmlinux", "cmdline_proc_show", 0));
        Assert.Contains("ENOENT", new PreflightReader(root.Root).Read([patch], Now).Symbols[patch.Digest].Unknown, StringComparison.Ordinal);
        root.Write("/proc/kallsyms", "");
        var reader = new PreflightReader(root.Root);
        Assert.Contains("hidden or empty", reader.Read([patch], Now).Symbols[patch.Digest].Unknown, StringComparison.Ordinal);
        Assert.False(reader.IsPrepared);
        // What could not be read is looked at again.
        root.Write("/proc/kallsyms", Symbols("cmdline_proc_show"));
        Assert.Null(reader.Read([patch], Now).Symbols[patch.Digest].Unknown);
    }

    [Fact]
    public void Symbols_of_a_module_are_looked_up_once_it_is_loaded()
    {
        using var root = new FakeRoot();
        root.Write("/proc/kallsyms", Symbols("nft_do_chain") + "ffffffffc0400000 t nft_do_chain\t[nf_tables]\nffffffffc0400010 t nft_gone\t[other]\n");
        var patch = Patch('a', ("nf_tables", "nft_do_chain", 0), ("nf_tables", "nft_gone", 0));
        var reader = new PreflightReader(root.Root);
        var before = reader.Read([patch], Now);
        Assert.Empty(before.LoadedModules);
        Assert.Empty(before.Symbols[patch.Digest].Findings);

        root.Write("/sys/module/nf_tables/initstate", "coming\n");
        Assert.Empty(reader.Read([patch], Now).LoadedModules);
        root.Write("/sys/module/nf_tables/initstate", "live\n");
        var after = reader.Read([patch], Now);
        Assert.Equal(["nf_tables"], after.LoadedModules);
        Assert.Equal("nft_gone", Assert.Single(after.Symbols[patch.Digest].Findings).Needed.Name);
    }

    [Fact]
    public void Dependencies_are_loaded_or_built_in()
    {
        using var root = new FakeRoot();
        root.Write("/sys/module/lp_live/initstate", "live\n");
        root.Write("/sys/module/lp_builtin/parameters/x", "1\n");
        root.Write("/sys/module/lp_going/initstate", "going\n");
        var patch = Patch('a') with { Info = Info('a') with { Depends = ["lp_live", "lp_builtin", "lp_going", "lp_none"] } };
        Assert.Equal(["lp_builtin", "lp_live"], new PreflightReader(root.Root).Read([patch], Now).Dependencies.Order());
    }

    [Fact]
    public void Only_what_is_attached_to_the_functions_in_question_is_kept()
    {
        using var root = new FakeRoot();
        root.Write("/proc/kallsyms", Symbols("cmdline_proc_show"));
        root.Write("/sys/kernel/tracing/enabled_functions", """
            uptime_proc_show (1)   I     
            cmdline_proc_show (1)     D   M 	tramp: 0xffffffffc04cb000 (call_direct_funcs+0x0/0x100)
            	direct-->bpf_trampoline_77+0x0/0x1000

            """);
        root.Write("/sys/kernel/tracing/kprobe_events", "p:lab/at cmdline_proc_show\np:lab/other uptime_proc_show\n");
        root.Write("/sys/kernel/debug/kprobes/list", "ffffffffa430964a  k  cmdline_proc_show+0xa    [OPTIMIZED]\nffffffffa430964a  k  uptime_proc_show+0xa    \n");
        var trace = new PreflightReader(root.Root).Read([Patch('a', ("vmlinux", "cmdline_proc_show", 0))], Now).Trace;
        Assert.Empty(trace.Unknown);
        Assert.Equal("bpf_trampoline_77", Assert.Single(trace.Functions).Direct);
        Assert.Equal(10UL, Assert.Single(trace.Probes).Offset);
        Assert.Equal("lab/at", Assert.Single(trace.Events).Name);
    }

    [Fact]
    public void A_program_is_traced_back_to_the_process_that_holds_it()
    {
        using var root = new FakeRoot();
        root.Write("/proc/kallsyms", Symbols("cmdline_proc_show"));
        root.Write("/sys/kernel/tracing/enabled_functions", "cmdline_proc_show (1)     D     \n\tdirect-->bpf_trampoline_6442543635+0x0/0x1000\n");
        root.Write("/proc/123/comm", "bpftrace\n");
        root.Write("/proc/123/fdinfo/7", "link_type:\ttracing\nprog_id:\t77\ntarget_obj_id:\t1\ntarget_btf_id:\t92691\n");
        root.Write("/proc/123/fdinfo/8", "link_type:\ttracing\nprog_id:\t78\ntarget_obj_id:\t1\ntarget_btf_id:\t1\n");
        root.MakeDirectory("/proc/123/fd");
        File.CreateSymbolicLink(root.Path("/proc/123/fd/7"), "anon_inode:bpf_link");
        File.CreateSymbolicLink(root.Path("/proc/123/fd/8"), "anon_inode:bpf_link");
        root.MakeDirectory("/proc/124/fd");
        var reader = new PreflightReader(root.Root);
        PatchModule[] patches = [Patch('a', ("vmlinux", "cmdline_proc_show", 0))];
        Assert.Equal("program 77 of bpftrace (pid 123)", Assert.Single(reader.Read(patches, Now).Trace.Functions).Owner);
        Assert.Null(Assert.Single(reader.Read(patches, Now, inHaste: true).Trace.Functions).Owner);
    }

    [Fact]
    public void Without_tracefs_and_debugfs_that_is_said()
    {
        using var root = new FakeRoot();
        root.Write("/proc/kallsyms", Symbols("cmdline_proc_show"));
        var reader = new PreflightReader(root.Root);
        Assert.Equal(2, reader.Read([Patch('a', ("vmlinux", "cmdline_proc_show", 0))], Now).Trace.Unknown.Length);
        // Whose functions are not known, of him nobody asks.
        Assert.Empty(reader.Read([Patch('b')], Now).Trace.Unknown);
        Assert.Empty(reader.Read([], Now).Symbols);
    }

    [Fact]
    public void Memory_and_disk()
    {
        using var root = new FakeRoot();
        var patch = Patch('a');
        Assert.Null(new PreflightReader(root.Root).Read([patch], Now).Room.MemoryAvailableBytes);
        root.Write("/proc/meminfo", "MemTotal:  8000 kB\nMemAvailable:    4096 kB\n");
        root.MakeDirectory("/var/lib/livepatchd");
        var room = new PreflightReader(root.Root).Read([patch], Now).Room;
        Assert.Equal(4L << 20, room.MemoryAvailableBytes);
        Assert.True(room.DiskFreeBytes > 0);
    }

    [Fact]
    public void The_running_kernel_has_its_own_symbols()
    {
        var reader = new PreflightReader(SystemRoot.Host);
        var patch = Patch('a', ("vmlinux", "no_kernel_has_a_function_of_this_name", 0));
        var symbols = reader.Read([patch], Now).Symbols[patch.Digest];
        Assert.SkipUnless(symbols.Unknown is null, $"the kernel's symbols: {symbols.Unknown}");
        Assert.Equal(0, Assert.Single(symbols.Findings).Count);
        Assert.True(reader.IsPrepared);
    }

    private static string Symbols(params string[] names)
    {
        var text = new StringBuilder();
        for (var i = 0; i < 3000; i++)
            text.Append($"ffffffff8{i:x7} t filler_{i}\n");
        foreach (var name in names)
            text.Append($"ffffffff81000000 T {name}\n");
        return text.ToString();
    }

    private static ModuleInfo Info(char id) => new(PatchName.Parse("lp_" + id), "6.12.0 SMP", true, false, null, null, null, []);

    private static PatchModule Patch(char id, params (string Object, string Name, ulong Position)[] functions) =>
        new(Info(id), Sha256.TryParse(new string(id, 64))!.Value, ModuleCompression.None, 1000)
        {
            Footprint = new PatchFootprint(
                functions.Length == 0 ? null : new PatchTables(
                    PatchTablesSource.KpatchBuild,
                    [.. functions.GroupBy(f => f.Object).Select(g => new PatchedObject(g.Key, [.. g.Select(f => new PatchedFunction(f.Name, f.Position))], PatchCallbacks.None))],
                    null, []),
                []),
        };
}
