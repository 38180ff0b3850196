// What was read of the running kernel to foresee a load, and when.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Preflight;

/// <summary>Who has attached what to the functions that were asked about.</summary>
/// <param name="Unknown">Sources that could not be read, each with why: nothing is concluded from their silence.</param>
public sealed record TraceFacts(
    ImmutableArray<TracedFunction> Functions,
    ImmutableArray<ProbePoint> Probes,
    ImmutableArray<ProbeEvent> Events,
    ImmutableArray<string> Unknown)
{
    public static TraceFacts None { get; } = new([], [], [], []);

    /// <summary>These, and of functions that they are not about what was known before.</summary>
    internal TraceFacts Over(TraceFacts before, IReadOnlySet<string> asked) => new(
        [.. before.Functions.Where(f => !asked.Contains(f.Name)), .. Functions],
        [.. before.Probes.Where(p => !asked.Contains(p.Symbol)), .. Probes],
        [.. before.Events.Where(e => !asked.Contains(e.Symbol)), .. Events],
        Unknown);
}

/// <param name="MemoryAvailableBytes">MemAvailable of /proc/meminfo; null when unknown.</param>
/// <param name="DiskFreeBytes">What can be written under /var/lib/livepatchd; null when unknown.</param>
public sealed record RoomFacts(long? MemoryAvailableBytes, long? DiskFreeBytes);

/// <param name="Symbols">By patch; a patch that is not in it has not been looked into.</param>
/// <param name="LoadedModules">Of the modules that the patches are for, those that are loaded.</param>
/// <param name="Dependencies">Of the modules that the patches depend on, those that are loaded or built in.</param>
/// <param name="ReadAt">When that which changes was read; null before the first reading.</param>
public sealed record PreflightFacts(
    ImmutableDictionary<Sha256, SymbolFacts> Symbols,
    TraceFacts Trace,
    ImmutableHashSet<string> LoadedModules,
    ImmutableHashSet<string> Dependencies,
    RoomFacts Room,
    Instant? ReadAt)
{
    /// <summary>Nothing was read: nothing is concluded.</summary>
    public static PreflightFacts None { get; } =
        new(ImmutableDictionary<Sha256, SymbolFacts>.Empty, TraceFacts.None, [], [], new RoomFacts(null, null), null);

    /// <summary>Patches that are signed by keys of which the kernel has none; a patch whose signers could not be looked up is not among them.</summary>
    public ImmutableHashSet<Sha256> Strangers { get; init; } = [];

    /// <summary>Of the modules that the patches are for, those that are part of the kernel itself.</summary>
    public ImmutableHashSet<string> BuiltInModules { get; init; } = [];

    /// <summary>Modules and functions that were looked for.</summary>
    public ImmutableHashSet<string> AskedModules { get; init; } = [];

    public ImmutableHashSet<string> AskedFunctions { get; init; } = [];

    /// <summary>These of the patches that they are about, and of all others what was known before.</summary>
    public PreflightFacts Over(PreflightFacts before)
    {
        ArgumentNullException.ThrowIfNull(before);
        return this with
        {
            Symbols = before.Symbols.SetItems(Symbols),
            Trace = Trace.Over(before.Trace, AskedFunctions),
            LoadedModules = before.LoadedModules.Except(AskedModules).Union(LoadedModules),
            Dependencies = before.Dependencies.Except(AskedModules).Union(Dependencies),
            BuiltInModules = before.BuiltInModules.Except(AskedModules).Union(BuiltInModules),
            AskedModules = before.AskedModules.Union(AskedModules),
            AskedFunctions = before.AskedFunctions.Union(AskedFunctions),
            Strangers = before.Strangers.Except(Symbols.Keys).Union(Strangers),
        };
    }

    /// <summary>The patch was looked into.</summary>
    public bool Covers(Sha256 digest) => ReadAt is not null && Symbols.ContainsKey(digest);
}
