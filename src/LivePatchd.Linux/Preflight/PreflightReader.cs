// Reads of the running kernel what tells whether certain patches can be loaded.
using System.Collections.Immutable;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Linux.Kernel;

namespace LivePatchd.Linux.Preflight;

/// <summary>
/// What cannot change for a patch while the same modules are loaded, its symbols, is looked up once; the rest is read each time.
/// One reading waits for another.
/// </summary>
public sealed class PreflightReader(SystemRoot root)
{
    private const string StateDirectory = "/var/lib/livepatchd";
    private const int MaxRemembered = 256;

    private readonly Lock gate = new();
    private readonly KernelSymbols symbols = new(root);
    private readonly TracingReader tracing = new(root);
    private readonly Dictionary<(Sha256 Digest, string Targets), SymbolFacts> known = [];

    /// <summary>The first patch that is to be loaded will not have to wait for the kernel's list of symbols.</summary>
    public bool IsPrepared => symbols.IsIndexed;

    public void Prepare()
    {
        lock (gate)
            symbols.Index();
    }

    /// <param name="patches">Those that may be loaded next; for none nothing is read.</param>
    /// <param name="inHaste">Right before a load: whom a BPF program belongs to is not looked for.</param>
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
        var loaded = footprints.SelectMany(static f => f.TargetModules()).Distinct(StringComparer.Ordinal).Where(IsLoaded).ToImmutableHashSet(StringComparer.Ordinal);
        var dependencies = patches.SelectMany(static p => p.Info.Depends).Where(d => IsLoaded(d) || IsBuiltIn(d)).ToImmutableHashSet(StringComparer.Ordinal);
        var found = ImmutableDictionary.CreateBuilder<Sha256, SymbolFacts>();
        foreach (var patch in patches)
            found[patch.Digest] = Symbols(patch, loaded);
        var functions = footprints.SelectMany(static f => f.Functions()).Select(static f => f.Function.Name).ToHashSet(StringComparer.Ordinal);
        return new PreflightFacts(found.ToImmutable(), tracing.Read(functions, owners: !inHaste), loaded, dependencies, Room(), now);
    }

    private SymbolFacts Symbols(PatchModule patch, ImmutableHashSet<string> loaded)
    {
        if (patch.Footprint is not { } footprint)
            return SymbolFacts.AllFound;
        var key = (patch.Digest, string.Join(',', footprint.TargetModules().Where(loaded.Contains).Order(StringComparer.Ordinal)));
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
        try
        {
            // Root may use what is kept for root.
            return new RoomFacts(memory, new DriveInfo(root.Path(StateDirectory)).TotalFreeSpace);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new RoomFacts(memory, null);
        }
    }
}
