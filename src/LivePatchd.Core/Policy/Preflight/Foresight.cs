// Will the kernel take this patch? What stands against it by the facts, and what is worth knowing though it does not.
using System.Collections.Immutable;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Preflight;

/// <param name="Reason">Null when nothing is known that stands against it.</param>
/// <param name="Detail">Names the symbol, probe, module or figure.</param>
public sealed record Foresight(Reason? Reason, string? Detail, ImmutableArray<PreflightNote> Notes)
{
    private const int MaxNotes = 32;

    // The kernel's own copies of a module while it is loaded, and something to live on afterwards.
    private const int MemoryPerByte = 4;
    private const long MemoryLeft = 16L << 20;

    /// <summary>Bytes: the state log must be able to tell what came of it.</summary>
    public const long DiskLeft = 1L << 20;

    /// <param name="installed">Footprints of the patches that are in the kernel, where their files are known.</param>
    public static Foresight Of(
        PatchModule module, PreflightFacts facts, ObservedState seen, ImmutableDictionary<PatchName, PatchFootprint> installed)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(seen);
        ArgumentNullException.ThrowIfNull(installed);
        var notes = new List<PreflightNote>();
        var against =
            SignatureJudgement.Of(module, facts, seen.Kernel)
            ?? Objects(module, facts)
            ?? Dependencies(module, facts)
            ?? SymbolJudgement.Of(module, facts, notes)
            ?? StateJudgement.Of(module, seen, installed)
            ?? TraceJudgement.Of(module, facts, seen, notes)
            ?? Room(module, facts);
        Neighbours(module, seen, notes);
        Targets(module, facts, notes);
        return new Foresight(against?.Reason, against?.Detail, [.. notes.Take(MaxNotes)]);
    }

    /// <summary>The kernel would take the patch, call it complete, and run the old code.</summary>
    private static Against? Objects(PatchModule module, PreflightFacts facts) =>
        ObjectName.Unmatched(module.Footprint?.Tables) is { } name ? new Against(Model.Reason.ObjectNeverMatches, name)
        : facts.Covers(module.Digest) && module.Footprint?.Tables?.Objects.FirstOrDefault(o => facts.BuiltInModules.Contains(o.Name)) is { } builtIn
            ? new Against(Model.Reason.ObjectNeverMatches, $"object {builtIn.Name}: it is built into this kernel, so no module of that name can be loaded")
        : null;

    private static Against? Dependencies(PatchModule module, PreflightFacts facts) =>
        facts.Covers(module.Digest) && module.Info.Depends.FirstOrDefault(d => !facts.Dependencies.Contains(d)) is { } missing
            ? new Against(Model.Reason.DependencyNotLoaded, $"module {missing} is not loaded")
            : null;

    private static Against? Room(PatchModule module, PreflightFacts facts)
    {
        if (facts.Room.MemoryAvailableBytes is { } memory && memory < (module.Size * MemoryPerByte) + MemoryLeft)
            return new(Model.Reason.MemoryLow, $"{memory >> 20} MiB of memory are available, {((module.Size * MemoryPerByte) + MemoryLeft) >> 20} MiB are asked for");
        if (facts.Room.DiskFreeBytes is { } disk && disk < DiskLeft)
            return new(Model.Reason.DiskSpaceLow, $"{disk >> 10} KiB can be written under /var/lib/livepatchd, {DiskLeft >> 10} KiB are asked for");
        return null;
    }

    /// <summary>The kernel stacks patches of one function, whoever loaded them; it does not tell anybody.</summary>
    private static void Neighbours(PatchModule module, ObservedState seen, List<PreflightNote> notes)
    {
        if (module.Footprint?.Tables is not { } tables)
            return;
        var others = seen.Patches.Where(p => p.Directory && p.Name != module.Name).ToList();
        if (tables.Replace == true)
        {
            if (others.Count > 0)
                notes.Add(new(PreflightNoteKind.Replaces, $"cumulative: {string.Join(", ", others.Select(static o => o.Name))} will be replaced"));
            return;
        }
        foreach (var (owner, function) in module.Footprint.Functions())
        {
            var holders = others.Where(o => o.Objects.Any(l => l.Name == owner && l.Patches(function.Name))).Select(static o => o.Name.Value).ToList();
            if (holders.Count > 0)
                notes.Add(new(PreflightNoteKind.StacksOn, $"{function.Name} of {owner} is patched by {string.Join(", ", holders)} too: the newest patch wins"));
        }
    }

    private static void Targets(PatchModule module, PreflightFacts facts, List<PreflightNote> notes)
    {
        if (!facts.Covers(module.Digest) || module.Footprint is null)
            return;
        foreach (var target in module.Footprint.TargetModules().Where(t => !facts.LoadedModules.Contains(t)))
            notes.Add(new(PreflightNoteKind.TargetNotLoaded, $"module {target} is not loaded: the patch applies to it once it is"));
    }
}

internal sealed record Against(Reason Reason, string Detail);
