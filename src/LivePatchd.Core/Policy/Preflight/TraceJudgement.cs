// The functions of a patch against what others have attached to them: who stands in the way, who shares, and who will be left behind.
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Preflight;

internal static class TraceJudgement
{
    private const string LivepatchHandler = "klp_ftrace_handler";
    private const string KprobeHandler = "kprobe_ftrace_handler";

    public static Against? Of(PatchModule module, PreflightFacts facts, ObservedState seen, List<PreflightNote> notes)
    {
        if (module.Footprint?.Tables is null || facts.ReadAt is null)
            return null;
        foreach (var source in facts.Trace.Unknown)
            notes.Add(new(PreflightNoteKind.Unknown, $"{source}: who traces its functions is not known"));
        Against? against = null;
        foreach (var (owner, function) in module.Footprint.Functions())
        {
            Probes(facts.Trace, owner, function, notes);
            foreach (var traced in facts.Trace.Functions.Where(t => t.IsOf(function.Name, owner)))
            {
                // Another patch has it already: this one is put on top of that, without another word to ftrace.
                if (IsPatched(seen, owner, function.Name))
                    continue;
                if (traced.IpModify && traced.Handler != LivepatchHandler)
                {
                    // The list has names and not addresses, and there are several functions of this name.
                    if (function.Position > 0 && Same(facts, owner, function.Name) > 1)
                        notes.Add(new(PreflightNoteKind.Unknown, $"a function of the name {function.Name} is held by {Holder(facts.Trace, traced, owner)}, and there are several of this name"));
                    else
                        against ??= new(Reason.FtraceConflict, $"{function.Name} of {owner} is held by {Holder(facts.Trace, traced, owner)}");
                }
                else if (traced.IsDirect)
                {
                    notes.Add(new(PreflightNoteKind.BpfAttached, $"{function.Name} of {owner} has {Direct(traced)} attached: it goes on seeing the calls"));
                }
                else if (traced.Handler is not (KprobeHandler or LivepatchHandler))
                {
                    notes.Add(new(PreflightNoteKind.Traced, $"{function.Name} of {owner} is traced{(traced.Handler is { } handler ? $" by {handler}" : "")}: both go on working"));
                }
            }
        }
        return against;
    }

    private static void Probes(TraceFacts trace, string owner, PatchedFunction function, List<PreflightNote> notes)
    {
        foreach (var probe in trace.Probes.Where(p => IsOf(p.Symbol, p.Module, function.Name, owner) && !p.IsOff))
        {
            var name = Name(trace, probe);
            notes.Add(probe.OnFtrace
                ? new(PreflightNoteKind.Traced, $"{name} sits at the entry of {function.Name}: both go on working")
                : new(PreflightNoteKind.ProbeStops, $"{name} sits in the old code of {function.Name} and will silently stop firing"));
        }
    }

    private static bool IsPatched(ObservedState seen, string owner, string function) =>
        seen.Patches.Any(p => p.Directory && p.Objects.Any(o => o.Name == owner && o.Patches(function)));

    private static int Same(PreflightFacts facts, string owner, string function) =>
        facts.Trace.Functions.Count(t => t.IsOf(function, owner));

    private static string Holder(TraceFacts trace, TracedFunction traced, string owner)
    {
        var probes = trace.Probes.Where(p => p.OnFtrace && !p.IsOff && IsOf(p.Symbol, p.Module, traced.Name, owner)).ToList();
        // Events of tracefs never hold a function for themselves: it is a probe that some module or program has set.
        var holder = probes.FirstOrDefault(p => Event(trace, p) is null) ?? probes.FirstOrDefault();
        return holder is not null ? $"{Name(trace, holder)} with a post handler"
            : traced.Handler is { } handler ? handler
            : traced.IsDirect ? Direct(traced)
            : "another user of ftrace";
    }

    private static string Direct(TracedFunction traced) => traced.Direct is { } callee
        ? BpfLinkParser.Trampoline(callee) is null ? callee
            : traced.Owner is { } owner ? $"BPF {owner}" : $"a BPF program ({callee})"
        : "a direct caller";

    private static string Name(TraceFacts trace, ProbePoint probe) =>
        Event(trace, probe) is { } named
            ? $"probe {named.Name} ({probe.Symbol}+0x{probe.Offset:x})"
            : $"a {(probe.IsReturn ? "kretprobe" : "kprobe")} ({probe.Symbol}+0x{probe.Offset:x})";

    // With indirect branch tracking a probe on a function's first byte is moved behind the landing instruction, which is 4 bytes long.
    private static ProbeEvent? Event(TraceFacts trace, ProbePoint probe) => trace.Events.FirstOrDefault(e =>
        e.Symbol == probe.Symbol && e.IsReturn == probe.IsReturn && (e.Offset == probe.Offset || (e.Offset == 0 && probe.OnFtrace))
        && (e.Module is null || probe.Module is null || e.Module == probe.Module));

    private static bool IsOf(string symbol, string? module, string function, string owner) =>
        symbol == function && (module ?? PatchedObject.Vmlinux) == owner;
}
