// Patches of one function for tests of what is foreseen of them.
using System.Collections.Immutable;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Core.Tests.Policy.Preflight;

internal static class Patches
{
    public const string Function = "cmdline_proc_show";

    private static readonly Sha256 Digest = Sha256.TryParse(new string('a', 64))!.Value;
    private static readonly KernelFacts Kernel = new("6.12.0", "boot", true, true, true, false, LockdownLevel.None, false, 0, 0, 0);

    /// <param name="installed">Of every patch that is seen.</param>
    public static Foresight Of(PatchModule module, PreflightFacts facts, ObservedState? seen = null, PatchFootprint? installed = null) =>
        Foresight.Of(module, facts, seen ?? Seen(), installed is null || seen is null
            ? ImmutableDictionary<PatchName, PatchFootprint>.Empty
            : seen.Patches.ToImmutableDictionary(static p => p.Name, _ => installed));

    public static PatchModule Patch(string owner = "vmlinux", ulong position = 0, bool replace = false, params SystemState[] states) =>
        new(new ModuleInfo(PatchName.Parse("lp_one"), "6.12.0 SMP", true, false, null, null, null, []), Digest, ModuleCompression.None, 1000)
        {
            Footprint = new PatchFootprint(
                new PatchTables(PatchTablesSource.HandWritten, [new(owner, [new(Function, position)], PatchCallbacks.None)], replace, [.. states]), []),
        };

    public static PreflightFacts Facts(params SymbolFinding[] findings) => PreflightFacts.None with
    {
        Symbols = PreflightFacts.None.Symbols.Add(Digest, new SymbolFacts([.. findings], null)),
        ReadAt = new(TimeSpan.FromSeconds(100), DateTimeOffset.UnixEpoch),
    };

    public static ObservedState Seen(params LoadedPatch[] patches) => new(Kernel, [.. patches]);

    public static LoadedPatch Loaded(string name, string owner, string function) =>
        new(PatchName.Parse(name), true, true, false, false, null, true, 1, true, null, [new LivepatchObject(owner, true, [function])]);
}
