// What tells a load's future: the kernel's symbols, who traces what, memory, and the line about a target that was kept out.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Fuzz.Targets;

internal static class TracingTextTargets
{
    private static readonly NeededSymbol[] Needed =
    [
        new(PatchedObject.Vmlinux, "cmdline_proc_show", 0, true), new(PatchedObject.Vmlinux, "s_show", 2, true), new("nf_tables", "nft_do_chain", 0, true),
    ];

    public static IReadOnlyList<Target> List { get; } =
    [
        new Target<(ImmutableArray<SymbolFinding> Findings, int Symbols)>("kallsyms", Symbols, static (_, read) =>
        {
            Expect.That(read.Findings.Length <= Needed.Length, "no more findings than needs");
            foreach (var finding in read.Findings)
            {
                Expect.That(!finding.Needed.IsMetBy(finding.Count), "a finding is a need that is not met");
                foreach (var variant in finding.Variants)
                    Expect.OneLine(variant, 513, "a variant");
            }
            return $"{Expect.Size(read.Symbols)} {string.Join(' ', read.Findings.Select(static f => $"{Math.Min(f.Count, 2)}{f.Variants.Length}"))}";
        })
        {
            MaxLength = 64 << 10,
            Words = Words.Of("ffffffff81000000 T ", "cmdline_proc_show", "s_show", "nft_do_chain", ".llvm.123", ".cold", "\t[nf_tables]", "\n"),
        },
        new Target<List<TracedFunction>>("enabled-functions", Traced, static (_, functions) =>
        {
            foreach (var function in functions)
            {
                Expect.OneLine(function.Name, 129, "a function");
                Expect.OneLine(function.Module, 129, "a module");
                Expect.OneLine(function.Direct, 129, "a direct callee");
                Expect.OneLine(function.Handler, 129, "a handler");
                Expect.That(function.Direct is null || function.IsDirect, "a callee is of a direct call");
            }
            return $"{Expect.Size(functions.Count)} {functions.Any(static f => f.IpModify)} {functions.Any(static f => f.Direct is not null)} {functions.Any(static f => f.Handler is not null)} {functions.Any(static f => f.Module is not null)}";
        })
        {
            Words = Words.Of(" (1) ", "R ", "I ", "D ", "M ", "\ttramp: 0xffffffffc04bf000 (", "klp_ftrace_handler+0x0/0x100)", " ->", "\tdirect-->bpf_trampoline_6442536467+0x0/0x1000\n", " [nf_tables]", "\n"),
        },
        new Target<(List<ProbePoint> Points, List<ProbeEvent> Events)>("kprobes", Probes, static (_, read) =>
        {
            foreach (var point in read.Points)
            {
                Expect.OneLine(point.Symbol, 129, "a symbol");
                Expect.OneLine(point.Module, 129, "a module");
            }
            foreach (var named in read.Events)
            {
                Expect.OneLine(named.Name, 129, "an event");
                Expect.OneLine(named.Symbol, 129, "a symbol");
                Expect.OneLine(named.Module, 129, "a module");
            }
            return $"{Expect.Size(read.Points.Count)} {Expect.Size(read.Events.Count)} {read.Points.Any(static p => p.Module is not null)} {read.Points.Any(static p => p.IsOff)} {read.Events.Any(static e => e.Module is not null)}";
        })
        {
            Words = Words.Of("ffffffffa4309644  k  ", "  r  ", "+0x4", "[FTRACE]", "[DISABLED]", "[GONE]", "  nf_tables ", "p:lab/x ", "r10:lab/ret ", "nf_tables:", "%return", "\n"),
        },
        new Target<List<(string Name, string Module)>>("filter-functions", Places, static (input, places) =>
        {
            Expect.That(places.All(static p => p.Name.Length > 0), "a place has a name");
            Expect.That(places.Sum(static p => p.Name.Length + p.Module.Length) <= input.Length, "names are of the file");
            return $"{Expect.Size(places.Count)} {places.Any(static p => p.Module.Length > 0)}";
        })
        {
            Words = Words.Of("cmdline_proc_show", "__ftrace_invalid_address___64", " [nf_tables]", "\n"),
        },
        new Target<(int Serial, string Name)?>("keyring", static input => TrustedKeyringLine.Parse(input), static (_, keyring) =>
        {
            Expect.That(keyring is not { Serial: <= 0 }, "serial numbers are positive");
            return keyring?.Name ?? "none";
        })
        {
            MaxLength = 4096,
            Words = Words.Of("363bd491 ", "I------ ", "1 perm 1f0b0000 0 0 ", "keyring ", ".builtin_trusted_keys", ".secondary_trusted_keys", ".machine", ".platform", ": ", "empty"),
        },
        new Target<long?>("meminfo", static input => MemoryInfoParser.AvailableBytes(input), static (_, bytes) =>
        {
            Expect.That(bytes is not < 0, "no negative memory");
            return bytes is null ? "none" : Expect.Size(bytes.Value);
        })
        {
            Words = Words.Of("MemAvailable:", "MemFree: ", " kB\n", "9007199254740991", "9223372036854775807"),
        },
        new Target<BpfLink?>("bpf-link", static input => BpfLinkParser.Parse(input), static (_, link) =>
        {
            Expect.That(link?.Trampoline is not { } number || BpfLinkParser.Trampoline($"bpf_trampoline_{number}") == number, "a trampoline's number is that of its symbol");
            return link is null ? "none" : link.Trampoline is null ? "link" : "attached";
        })
        {
            MaxLength = 4096,
            Words = Words.Of("prog_id:\t", "target_obj_id:\t", "target_btf_id:\t", "4294967295", "2147483648", "\n"),
        },
        new Target<TargetRefusal?>("target-refusal", static input => TargetRefusal.Parse(Encoding.UTF8.GetString(input)), static (_, refusal) =>
        {
            Expect.OneLine(refusal?.Module, 64, "the module");
            return refusal is null ? "none" : "refusal";
        })
        {
            MaxLength = 4096,
            Words = Words.Of("livepatch: patch '", "' failed for module '", "', refusing to load module '", "'", "lp_one"),
        },
    ];

    private static (ImmutableArray<SymbolFinding>, int) Symbols(ReadOnlySpan<byte> input)
    {
        var whole = input;
        var census = new SymbolCensus(Needed);
        var index = new SymbolIndex.Builder();
        var symbols = 0;
        while (Line(ref input, out var line))
        {
            if (!KernelSymbolLine.TryParse(line, out var symbol))
                continue;
            symbols++;
            census.Take(symbol);
            index.Take(symbol.Name);
        }
        Expect.That(index.Build().Count == symbols, "each symbol is in the index");
        var names = new AliasCensus(Needed);
        foreach (var take in (Action<KernelSymbolLine>[])[names.TakeAddress, names.TakeName])
        {
            var text = whole;
            while (Line(ref text, out var line))
            {
                if (KernelSymbolLine.TryParse(line, out var symbol))
                    take(symbol);
            }
        }
        Expect.That(names.Aliases.Length <= 65 * Needed.Length, "no more names than are kept");
        Expect.That(names.WithoutPlace(new HashSet<NeededSymbol>()).IsEmpty, "a function whose names are all in the list has a place");
        return (census.Findings(), symbols);
    }

    private static List<(string Name, string Module)> Places(ReadOnlySpan<byte> input)
    {
        var places = new List<(string, string)>();
        while (Line(ref input, out var line))
        {
            if (KernelSymbolLine.TryParseTraceable(line, out var place))
                places.Add((Encoding.Latin1.GetString(place.Name), Encoding.Latin1.GetString(place.Module)));
        }
        return places;
    }

    private static List<TracedFunction> Traced(ReadOnlySpan<byte> input)
    {
        var parser = new EnabledFunctionsParser();
        var functions = new List<TracedFunction>();
        while (Line(ref input, out var line))
        {
            if (parser.Take(line) is { } function)
                functions.Add(function);
        }
        if (parser.End() is { } last)
            functions.Add(last);
        return functions;
    }

    private static (List<ProbePoint>, List<ProbeEvent>) Probes(ReadOnlySpan<byte> input)
    {
        var points = new List<ProbePoint>();
        var events = new List<ProbeEvent>();
        while (Line(ref input, out var line))
        {
            if (KprobeParser.Point(line) is { } point)
                points.Add(point);
            if (KprobeParser.Event(line) is { } named)
                events.Add(named);
        }
        return (points, events);
    }

    private static bool Line(ref ReadOnlySpan<byte> text, out ReadOnlySpan<byte> line)
    {
        var end = text.IndexOf((byte)'\n');
        line = end < 0 ? default : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        return end >= 0;
    }
}
