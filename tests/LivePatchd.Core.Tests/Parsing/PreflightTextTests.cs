// The files that loads are foreseen from, as two kernel lines write them, and any bytes at all.
using System.Text;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Core.Tests.Parsing;

public sealed class PreflightTextTests
{
    [Theory]
    [InlineData("ffffffff81000000 T _stext", "_stext", "")]
    [InlineData("0000000000000000 A fixed_percpu_data", "fixed_percpu_data", "")]
    [InlineData("ffffffff812a3b40 t s_show.llvm.1234567890", "s_show.llvm.1234567890", "")]
    [InlineData("ffffffffc02a7d08 t bpf_prog_5482bf48fa3c21ca_sd_devices\t[bpf]", "bpf_prog_5482bf48fa3c21ca_sd_devices", "bpf")]
    [InlineData("ffffffffc0400000 t nft_do_chain\t[nf_tables]", "nft_do_chain", "nf_tables")]
    public void A_symbol_of_kallsyms(string line, string name, string module)
    {
        Assert.True(KernelSymbolLine.TryParse(Encoding.ASCII.GetBytes(line), out var symbol));
        Assert.Equal(name, Encoding.ASCII.GetString(symbol.Name));
        Assert.Equal(module, Encoding.ASCII.GetString(symbol.Module));
    }

    [Theory]
    [InlineData("")]
    [InlineData("T _stext")]
    [InlineData("xyz T _stext")]
    [InlineData("ffffffff81000000 TT _stext")]
    [InlineData("ffffffff81000000 T ")]
    [InlineData("ffffffff81000000 T name with blanks")]
    [InlineData("ffffffff81000000 T name\tnf_tables")]
    [InlineData("ffffffff81000000 T name\t[]")]
    public void No_symbol(string line) => Assert.False(KernelSymbolLine.TryParse(Encoding.ASCII.GetBytes(line), out _));

    [Theory]
    [InlineData("cmdline_proc_show", "cmdline_proc_show", "")]
    [InlineData("nft_do_chain [nf_tables]", "nft_do_chain", "nf_tables")]
    [InlineData("__ftrace_invalid_address___64", "__ftrace_invalid_address___64", "")]
    [InlineData("s_show.llvm.123 [m]", "s_show.llvm.123", "m")]
    public void A_place_of_ftrace(string line, string name, string module)
    {
        Assert.True(KernelSymbolLine.TryParseTraceable(Encoding.ASCII.GetBytes(line), out var symbol));
        Assert.Equal((name, module, 0UL), (Encoding.ASCII.GetString(symbol.Name), Encoding.ASCII.GetString(symbol.Module), symbol.Address));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" name")]
    [InlineData("name nf_tables")]
    [InlineData("name []")]
    [InlineData("name [a] b]")]
    [InlineData("name ")]
    public void No_place_of_ftrace(string line) => Assert.False(KernelSymbolLine.TryParseTraceable(Encoding.ASCII.GetBytes(line), out _));

    [Theory]
    [InlineData("363bd491 I------     1 perm 1f0b0000     0     0 keyring   .builtin_trusted_keys: empty", 0x363bd491, ".builtin_trusted_keys")]
    [InlineData("0b0c0d0e I------     2 perm 1f0f0000     0     0 keyring   .secondary_trusted_keys: 1", 0x0b0c0d0e, ".secondary_trusted_keys")]
    [InlineData("00000001 I------     1 perm 1f0b0000     0     0 keyring   .platform: 3", 1, ".platform")]
    [InlineData("7fffffff I------     1 perm 1f0b0000     0     0 keyring   .machine: 3", int.MaxValue, ".machine")]
    public void A_keyring_whose_keys_may_count_for_modules(string line, int serial, string name) =>
        Assert.Equal((serial, name), TrustedKeyringLine.Parse(Encoding.ASCII.GetBytes(line)));

    [Theory]
    [InlineData("")]
    [InlineData("363bd491 I------     1 perm 1f0b0000     0     0 keyring   .blacklist: 2")]
    [InlineData("363bd491 I------     1 perm 1f0b0000     0     0 keyring   platform: 2")]
    [InlineData("363bd491 I------     1 perm 1f0b0000     0     0 keyring   .platform2: 2")]
    [InlineData("363bd491 I------     1 perm 1f0b0000     0     0 keyring   .platform 2")]
    [InlineData("363bd491 I------     1 perm 1f0b0000     0     0 user      .platform: 2")]
    [InlineData("363bd491 I------     1 perm 1f0b0000     0     0 keyring")]
    [InlineData("363bd491 I------")]
    [InlineData("ffffffff I------     1 perm 1f0b0000     0     0 keyring   .platform: 2")]
    [InlineData("00000000 I------     1 perm 1f0b0000     0     0 keyring   .platform: 2")]
    [InlineData("g63bd491 I------     1 perm 1f0b0000     0     0 keyring   .platform: 2")]
    public void No_such_keyring(string line) => Assert.Null(TrustedKeyringLine.Parse(Encoding.ASCII.GetBytes(line)));

    [Fact]
    public void Functions_that_something_is_attached_to()
    {
        var found = Functions("""
            cmdline_proc_show (1) R         	tramp: 0xffffffffc04bf000 (kprobe_ftrace_handler+0x0/0x1d0) ->kprobe_ftrace_handler+0x0/0x1d0
            show_softirqs (1)   I     M 	tramp: 0xffffffffc04cb000 (klp_ftrace_handler+0x0/0x100) ->klp_ftrace_handler+0x0/0x100
            meminfo_proc_show (2) R          ->arch_ftrace_ops_list_func+0x0/0x1d0
            nft_do_chain [nf_tables] (1)     D   M 	tramp: 0xffffffffc0a00000 (bpf_handler+0x0/0x10 [lab]) ->call_direct_funcs+0x0/0x20
            	direct-->bpf_trampoline_6442536467+0x0/0x1000
            loadavg_proc_show (1) R I     
            uptime_proc_show (1)
            	direct-->nobody+0x0/0x10
            """);
        Assert.Equal(
        [
            new("cmdline_proc_show", null, false, false, null, "kprobe_ftrace_handler"),
            new("show_softirqs", null, true, false, null, "klp_ftrace_handler"),
            new("meminfo_proc_show", null, false, false, null, null),
            new("nft_do_chain", "nf_tables", false, true, "bpf_trampoline_6442536467", "bpf_handler"),
            new("loadavg_proc_show", null, true, false, null, null),
            new("uptime_proc_show", null, false, false, null, null),
        ], found);
        Assert.True(found[3].IsOf("nft_do_chain", "nf_tables"));
        Assert.False(found[3].IsOf("nft_do_chain", "vmlinux"));
        Assert.True(found[0].IsOf("cmdline_proc_show", "vmlinux"));
    }

    [Theory]
    [InlineData("ffffffffa4309644  k  cmdline_proc_show+0x4    [FTRACE]", "cmdline_proc_show", 4, null, false, true, false)]
    [InlineData("ffffffffa430964a  k  cmdline_proc_show+0xa    [OPTIMIZED]", "cmdline_proc_show", 10, null, false, false, false)]
    [InlineData("0000000000000000  r  meminfo_proc_show+0x0    [DISABLED][FTRACE]", "meminfo_proc_show", 0, null, true, true, true)]
    [InlineData("ffffffffc0400000  k  nft_do_chain+0x10  nf_tables [DISABLED]", "nft_do_chain", 16, "nf_tables", false, false, true)]
    [InlineData("ffffffffc0400000  k  nft_do_chain+0x10  nf_tables [GONE]", "nft_do_chain", 16, "nf_tables", false, false, true)]
    public void A_probe_of_the_kernels_list(string line, string symbol, ulong offset, string? module, bool isReturn, bool onFtrace, bool isOff) =>
        Assert.Equal(new ProbePoint(symbol, offset, module, isReturn, onFtrace, isOff), KprobeParser.Point(Encoding.ASCII.GetBytes(line)));

    [Theory]
    [InlineData("p:lab/atentry cmdline_proc_show", "lab/atentry", "cmdline_proc_show", 0, null, false)]
    [InlineData("p:lab/inbody cmdline_proc_show+10", "lab/inbody", "cmdline_proc_show", 10, null, false)]
    [InlineData("r10:lab/ret meminfo_proc_show", "lab/ret", "meminfo_proc_show", 0, null, true)]
    [InlineData("p:kprobes/x nf_tables:nft_do_chain+0x10 a=%di", "kprobes/x", "nft_do_chain", 16, "nf_tables", false)]
    public void A_probe_that_has_a_name(string line, string name, string symbol, ulong offset, string? module, bool isReturn) =>
        Assert.Equal(new ProbeEvent(name, symbol, offset, module, isReturn), KprobeParser.Event(Encoding.ASCII.GetBytes(line)));

    [Theory]
    [InlineData("")]
    [InlineData("p")]
    [InlineData("p:")]
    [InlineData("p:a/b")]
    [InlineData("p:a/b 0xffffffff81000000")]
    [InlineData("e:a/b sched/sched_switch")]
    [InlineData("p:a/b sym+zz")]
    public void No_named_probe(string line) => Assert.Null(KprobeParser.Event(Encoding.ASCII.GetBytes(line)));

    [Theory]
    [InlineData("pos:\t0\nlink_type:\ttracing\nlink_id:\t3\nprog_tag:\tabc\nprog_id:\t77\nattach_type:\t24\ntarget_obj_id:\t1\ntarget_btf_id:\t92691\n", 77UL, 6442543635UL)]
    [InlineData("link_type:\tcgroup\nprog_id:\t5\n", 5UL, null)]
    [InlineData("prog_id:\t5\ntarget_obj_id:\t1\ntarget_btf_id:\t4294967296\n", 5UL, null)]
    [InlineData("pos:\t0\nflags:\t02\n", null, null)]
    public void A_link_of_a_program(string text, ulong? program, ulong? trampoline)
    {
        var link = BpfLinkParser.Parse(Encoding.ASCII.GetBytes(text));
        Assert.Equal(program, link?.Program);
        Assert.Equal(trampoline, link?.Trampoline);
    }

    [Theory]
    [InlineData("bpf_trampoline_6442536467", 6442536467UL)]
    [InlineData("bpf_trampoline_", null)]
    [InlineData("bpf_trampoline_x", null)]
    [InlineData("somebody", null)]
    public void The_number_of_a_trampoline(string symbol, ulong? expected) => Assert.Equal(expected, BpfLinkParser.Trampoline(symbol));

    [Theory]
    [InlineData("MemTotal:  8000000 kB\nMemFree: 1 kB\nMemAvailable:    2048 kB\n", 2048L * 1024)]
    [InlineData("MemTotal: 1 kB\n", null)]
    [InlineData("MemAvailable: many kB\n", null)]
    [InlineData("MemAvailable: 99999999999999999999 kB\n", null)]
    [InlineData("MemAvailable: 1 kB", null)]
    public void Memory_that_is_available(string text, long? expected) => Assert.Equal(expected, MemoryInfoParser.AvailableBytes(Encoding.ASCII.GetBytes(text)));

    [Theory]
    [InlineData("livepatch: patch 'lp_x' failed for module 'nf_tables', refusing to load module 'nf_tables'", "lp_x", "nf_tables")]
    [InlineData("livepatch: patch 'lp_x' failed for module 'a', refusing to load module 'b'", null, null)]
    [InlineData("patch 'lp_x' failed for module 'a', refusing to load module 'a'", null, null)]
    [InlineData("livepatch: patch '../x' failed for module 'a', refusing to load module 'a'", null, null)]
    [InlineData("livepatch: patch 'lp_x' failed for module '', refusing to load module ''", null, null)]
    [InlineData("livepatch: patch '", null, null)]
    public void A_module_that_was_kept_out(string line, string? patch, string? module)
    {
        var refusal = TargetRefusal.Parse(line);
        Assert.Equal(patch, refusal?.Patch.Value);
        Assert.Equal(module, refusal?.Module);
    }

    /// <summary>Every parser is total, and what it takes from a line is from that line.</summary>
    [Fact]
    public void Any_bytes_are_survived()
    {
        var random = new Random(20);
        var alphabet = Encoding.ASCII.GetBytes("0123456789abcdef krp:+/[]()\tRIDOMFTAC-->tramp:livepatch: patch '_.");
        for (var round = 0; round < 20_000; round++)
        {
            var line = new byte[random.Next(80)];
            for (var i = 0; i < line.Length; i++)
                line[i] = random.Next(8) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];
            if (KernelSymbolLine.TryParse(line, out var symbol))
                Assert.True(symbol.Name.Length > 0 && symbol.Name.Length + symbol.Module.Length < line.Length);
            if (KernelSymbolLine.TryParseTraceable(line, out var place))
                Assert.True(place.Name.Length > 0 && place.Name.Length + place.Module.Length <= line.Length);
            Assert.Null(TrustedKeyringLine.Parse(line));
            var point = KprobeParser.Point(line);
            Assert.True(point is null || point.Symbol.Length > 0);
            var named = KprobeParser.Event(line);
            Assert.True(named is null || (named.Name.Length > 0 && named.Symbol.Length > 0));
            var parser = new EnabledFunctionsParser();
            Assert.Null(parser.Take(line));
            var function = parser.End();
            Assert.True(function is null || function.Name.Length > 0);
            _ = MemoryInfoParser.AvailableBytes(line);
            _ = BpfLinkParser.Parse(line);
            _ = TargetRefusal.Parse(Encoding.Latin1.GetString(line));
        }
    }

    /// <summary>What an index of names says agrees with counting them.</summary>
    [Fact]
    public void The_index_counts_as_a_list_does()
    {
        var random = new Random(21);
        var names = Enumerable.Range(0, 5000).Select(_ => $"f{random.Next(3000)}{new string('x', random.Next(20))}").ToList();
        var builder = new SymbolIndex.Builder();
        Assert.All(names, n => Assert.True(builder.Take(Encoding.ASCII.GetBytes(n))));
        var index = builder.Build();
        Assert.Equal(names.Count, index.Count);
        foreach (var name in names.Distinct().Take(500).Append("none").Append(""))
            Assert.Equal(names.Count(n => n == name), index.CountOf(Encoding.ASCII.GetBytes(name)));
    }

    private static List<TracedFunction> Functions(string text)
    {
        var parser = new EnabledFunctionsParser();
        List<TracedFunction?> found = [.. text.Split('\n').Select(l => parser.Take(Encoding.ASCII.GetBytes(l))), parser.End()];
        return [.. found.OfType<TracedFunction>()];
    }
}
