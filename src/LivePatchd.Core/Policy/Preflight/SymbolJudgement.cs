// The symbols that a patch needs, against those that the kernel has: missing, ambiguous, or there under another name.
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Preflight;

internal static class SymbolJudgement
{
    public static Against? Of(PatchModule module, PreflightFacts facts, List<PreflightNote> notes)
    {
        if (module.Footprint is not { } footprint)
            return null;
        if (footprint.Tables is null)
            notes.Add(new(PreflightNoteKind.Unknown, "the file does not tell which functions it replaces"));
        if (!facts.Symbols.TryGetValue(module.Digest, out var symbols))
            return null;
        if (symbols.Unknown is { } why)
            notes.Add(new(PreflightNoteKind.Unknown, $"the kernel's symbols cannot be read ({why})"));
        Against? against = null;
        foreach (var finding in symbols.Findings)
        {
            if (finding.MayBeFoundAll)
                notes.Add(new(PreflightNoteKind.Unknown, $"{Describe(finding.Needed)} is there only as {finding.Variants[0]}: some kernels take the two for one name, others refuse"));
            else
                against ??= Judge(finding);
        }
        // The kernel looks all functions of an object up before it asks ftrace for the place of the first.
        if (symbols.NotTraceable is [var first, ..])
            against ??= new(Reason.FunctionNotTraceable, $"{Describe(first)} has no ftrace location: the kernel cannot redirect its calls");
        return against;
    }

    private static Against Judge(SymbolFinding finding)
    {
        var (needed, count) = (finding.Needed, finding.Count);
        if (count == 0)
            return new(Reason.SymbolNotFound, $"{Describe(needed)} does not exist{Explain(finding)}");
        return needed.Position == 0
            ? new(Reason.SymbolAmbiguous, $"{Describe(needed)} exists {count} times, and the patch does not say which is meant")
            : new(Reason.SymbolNotFound, $"{Describe(needed)} exists {count} times, and the patch asks for number {needed.Position}");
    }

    private static string Explain(SymbolFinding finding)
    {
        if (finding.Variants.IsEmpty)
            return "";
        var variant = finding.Variants[0];
        var suffix = variant[finding.Needed.Name.Length..];
        return suffix switch
        {
            _ when suffix.Contains(".llvm.", StringComparison.Ordinal) => $" but as {string.Join(", ", finding.Variants)}: link-time optimisation renamed it",
            _ when suffix.StartsWith(".cold", StringComparison.Ordinal) => $" but as {variant}: only its rarely run part was kept apart",
            _ when suffix.StartsWith(".constprop", StringComparison.Ordinal) => $" but as {variant}: the compiler made a copy for constant arguments",
            _ when suffix.StartsWith(".isra", StringComparison.Ordinal) => $" but as {variant}: the compiler changed its arguments",
            _ when suffix.StartsWith(".part", StringComparison.Ordinal) => $" but as {variant}: the compiler split it",
            _ => $" but as {variant}",
        };
    }

    private static string Describe(NeededSymbol needed) =>
        $"{(needed.IsFunction ? "function" : "symbol")} {needed.Name}{(needed.Object == PatchedObject.Vmlinux ? "" : $" of module {needed.Object}")}";
}
