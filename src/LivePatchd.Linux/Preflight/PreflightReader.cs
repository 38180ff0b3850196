// Reads of the running kernel what tells whether certain patches can be loaded.
using System.Collections.Immutable;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Linux.Kernel;

namespace LivePatchd.Linux.Preflight;

/// <summary>
/// What cannot change for a patch while the same modules are loaded, its symbols and whether ftrace has them, is looked up once; the rest is
/// read each time.
/// One reading waits for another.
/// </summary>
public sealed class PreflightReader
{
    private const int MaxRemembered = 256;

    private readonly Lock gate = new();
    private readonly SystemRoot root;
    private readonly KernelSymbols symbols;
    private readonly TracingReader tracing;
    private readonly TraceableFunctions traceable;
    private readonly KernelKeyrings keyrings;
    private readonly Dictionary<(Sha256 Digest, string Targets), SymbolFacts> known = [];

    /// <param name="search">Asks for a key; null for the running kernel, which has an answer only under the real root.</param>
    public PreflightReader(SystemRoot root, KeySearch? search = null)
    {
        this.root = root;
        symbols = new KernelSymbols(root);
        tracing = new TracingReader(root);
        traceable = new TraceableFunctions(tracing, symbols);
        keyrings = new KernelKeyrings(root, search);
    }

    /// <summary>The first patch that is to be loaded will not have to wait for the kernel's list of symbols.</summary>
    public bool IsPrepared => symbols.IsIndexed;

    public void Prepare()
    {
        lock (gate)
            symbols.Index();
    }

    /// <param name="patches">Those that may be loaded next; for none nothing is read.</param>
    /// <param name="inHaste">Right before a load: whom a BPF program belongs to is not looked for, nor what ftrace can reach where that is not known yet.</param>
    public PreflightFacts Read(IReadOnlyCollection<PatchModule> patches, Instant now, bool inHaste = false)
    {
        ArgumentNullException.ThrowIfNull(patches);
        if (patches.Count == 0)
            return PreflightFacts.None with { ReadAt = now };
        lock (gate)
            return ReadAll(patches, now, inHaste);
    }

    private PreflightFacts ReadAll(IReadOnlyCollection<PatchModule> patches, Instant now, bool inHaste)
    {
        var footprints = patches.Select(static p => p.Footprint ?? PatchFootprint.Unknown).ToList();
        var targets = footprints.SelectMany(static f => f.TargetModules()).ToImmutableHashSet(StringComparer.Ordinal);
        var loaded = targets.Where(IsLoaded).ToImmutableHashSet(StringComparer.Ordinal);
        var needed = patches.SelectMany(static p => p.Info.Depends).ToImmutableHashSet(StringComparer.Ordinal);
        var dependencies = needed.Where(d => IsLoaded(d) || IsBuiltIn(d)).ToImmutableHashSet(StringComparer.Ordinal);
        var found = ImmutableDictionary.CreateBuilder<Sha256, SymbolFacts>();
        foreach (var patch in patches)
            found[patch.Digest] = Symbols(patch, loaded);
        if (!inHaste)
            traceable.Look(patches.Select(p => (Key(p, loaded), Existing(p, found[p.Digest], loaded))));
        foreach (var patch in patches)
            found[patch.Digest] = found[patch.Digest] with { NotTraceable = traceable.Without(Key(patch, loaded)) };
        var functions = footprints.SelectMany(static f => f.Functions()).Select(static f => f.Function.Name).ToImmutableHashSet(StringComparer.Ordinal);
        return new PreflightFacts(found.ToImmutable(), tracing.Read(functions, owners: !inHaste), loaded, dependencies, Room(), now)
        {
            BuiltInModules = [.. targets.Where(IsBuiltIn)],
            AskedModules = targets.Union(needed),
            AskedFunctions = functions,
            Strangers = [.. patches.Where(p => keyrings.Lack(p.Info.Signers)).Select(static p => p.Digest)],
        };
    }

    private SymbolFacts Symbols(PatchModule patch, ImmutableHashSet<string> loaded)
    {
        if (patch.Footprint is not { } footprint)
            return SymbolFacts.AllFound;
        var key = Key(patch, loaded);
        if (known.TryGetValue(key, out var facts))
            return facts;
        facts = symbols.Look(NeededSymbol.Of(footprint, loaded.Contains));
        // What could not be read may be there next time.
        if (facts.Unknown is not null)
            return facts;
        if (known.Count == MaxRemembered)
            known.Clear();
        return known[key] = facts;
    }

    private static (Sha256 Digest, string Targets) Key(PatchModule patch, ImmutableHashSet<string> loaded) =>
        (patch.Digest, string.Join(',', (patch.Footprint ?? PatchFootprint.Unknown).TargetModules().Where(loaded.Contains).Order(StringComparer.Ordinal)));

    private static ImmutableArray<NeededSymbol> Existing(PatchModule patch, SymbolFacts facts, ImmutableHashSet<string> loaded) =>
        patch.Footprint is { } footprint && facts.Unknown is null
            ? [.. NeededSymbol.Of(footprint, loaded.Contains).Where(n => n.IsFunction && facts.Findings.All(f => f.Needed != n))]
            : [];

    /// <summary>A module that is coming or going is as good as not there.</summary>
    private bool IsLoaded(string module)
    {
        Span<byte> buffer = stackalloc byte[16];
        return PatchName.TryParse(module) is { } name
            && SysfsReader.Read(root.Path($"/sys/module/{name}/initstate"), buffer) is { } length
            && buffer[..length].TrimEnd((byte)'\n').SequenceEqual("live"u8);
    }

    /// <summary>Only what can be unloaded has a state.</summary>
    private bool IsBuiltIn(string module) => PatchName.TryParse(module) is { } name
        && Directory.Exists(root.Path($"/sys/module/{name}")) && !File.Exists(root.Path($"/sys/module/{name}/initstate"));

    private RoomFacts Room()
    {
        Span<byte> buffer = stackalloc byte[SysfsReader.MaxFileSize];
        var memory = SysfsReader.Read(root.Path("/proc/meminfo"), buffer) is { } length ? MemoryInfoParser.AvailableBytes(buffer[..length]) : null;
        return new RoomFacts(memory, DiskRoom.Of(root));
    }
}
