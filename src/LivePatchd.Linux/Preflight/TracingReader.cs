// Who has attached what to certain functions: tracefs' enabled_functions and kprobe_events, and the kernel's list of kprobes.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Linux.Preflight;

internal sealed class TracingReader(SystemRoot root)
{
    // All of a kernel's functions traced at once make five.
    private const long MaxBytes = 32L << 20;

    private const int MaxKept = 1000;
    private const string Probes = "/sys/kernel/debug/kprobes/list";

    private readonly BpfLinks bpf = new(root);

    // The places of the kernel itself, which stay the same: a patch of functions that have one needs no other pass.
    private SymbolIndex? places;

    // Asking for the second one may make systemd mount it.
    private static readonly string[] Roots = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

    /// <param name="functions">Names; whatever is attached to others is left out.</param>
    /// <param name="owners">BPF programs are traced back to the processes that hold them.</param>
    internal TraceFacts Read(IReadOnlySet<string> functions, bool owners)
    {
        if (functions.Count == 0)
            return TraceFacts.None;
        var unknown = ImmutableArray.CreateBuilder<string>();
        var traced = Traced(functions, unknown);
        if (owners)
            traced = WithOwners(traced);
        var probes = ImmutableArray.CreateBuilder<ProbePoint>();
        Note(unknown, Probes, LineStream.Read(root.Path(Probes), MaxBytes, line =>
        {
            if (KprobeParser.Point(line) is { } probe && functions.Contains(probe.Symbol))
                probes.Add(probe);
            return probes.Count < MaxKept;
        }));
        return new TraceFacts(traced, probes.ToImmutable(), probes.Count == 0 ? [] : Events(functions), unknown.ToImmutable());
    }

    /// <summary>A pass over all places that ftrace has, which the kernel names one by one: not for the moment before a load.</summary>
    /// <returns>Those of the functions that are not in the list, nor with something that the compiler appended; null when it cannot be read.</returns>
    internal IReadOnlySet<NeededSymbol>? WithoutPlace(IEnumerable<NeededSymbol> functions)
    {
        // Of several functions of one name it is enough that one is there: the list does not tell which.
        var byName = functions.ToLookup(static f => f with { Position = 1 });
        if (places?.Meets(byName.Select(static f => f.Key)) == true)
            return new HashSet<NeededSymbol>();
        var census = new SymbolCensus(byName.Select(static f => f.Key));
        var builder = places is null ? new SymbolIndex.Builder() : null;
        var lines = 0;
        var read = ReadTracing("available_filter_functions", line =>
        {
            if (KernelSymbolLine.TryParseTraceable(line, out var symbol))
            {
                lines++;
                census.Take(symbol);
                if (symbol.Module.IsEmpty && builder?.Take(symbol.Name) == false)
                    builder = null;
            }
            return true;
        });
        if (!read.IsOk || lines == 0)
            return null;
        places ??= builder?.Build();
        return census.Findings().Where(static f => f.Variants.IsEmpty).SelectMany(f => byName[f.Needed]).ToHashSet();
    }

    private ImmutableArray<TracedFunction> Traced(IReadOnlySet<string> functions, ImmutableArray<string>.Builder unknown)
    {
        var kept = ImmutableArray.CreateBuilder<TracedFunction>();
        var parser = new EnabledFunctionsParser();
        void Keep(TracedFunction? function)
        {
            if (function is not null && functions.Contains(function.Name))
                kept.Add(function);
        }

        Note(unknown, "enabled_functions", ReadTracing("enabled_functions", line =>
        {
            Keep(parser.Take(line));
            return kept.Count < MaxKept;
        }));
        Keep(parser.End());
        return kept.ToImmutable();
    }

    private ImmutableArray<TracedFunction> WithOwners(ImmutableArray<TracedFunction> traced)
    {
        static ulong? Number(TracedFunction function) => function.Direct is { } direct ? BpfLinkParser.Trampoline(direct) : null;

        var trampolines = traced.Select(Number).OfType<ulong>().ToHashSet();
        if (trampolines.Count == 0)
            return traced;
        var found = bpf.Find(trampolines);
        return [.. traced.Select(f => Number(f) is { } number && found.TryGetValue(number, out var owner) ? f with { Owner = owner } : f)];
    }

    // Only names: without them a probe is shown by its place.
    private ImmutableArray<ProbeEvent> Events(IReadOnlySet<string> functions)
    {
        var events = ImmutableArray.CreateBuilder<ProbeEvent>();
        _ = ReadTracing("kprobe_events", line =>
        {
            if (KprobeParser.Event(line) is { } named && functions.Contains(named.Symbol))
                events.Add(named);
            return events.Count < MaxKept;
        });
        return events.ToImmutable();
    }

    private SysResult<long> ReadTracing(string file, TakeLine take)
    {
        var read = SysResult.Fail<long>(Errno.ENOENT, "open");
        foreach (var tracefs in Roots)
        {
            read = LineStream.Read(root.Path($"{tracefs}/{file}"), MaxBytes, take);
            if (read.Errno != Errno.ENOENT)
                break;
        }
        return read;
    }

    private static void Note(ImmutableArray<string>.Builder unknown, string source, SysResult<long> read)
    {
        if (!read.IsOk)
            unknown.Add($"{source} cannot be read ({read.Errno})");
    }
}
