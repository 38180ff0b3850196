// Whether a livepatch fixes a CVE in the running kernel now: what the daemon's facts prove, and no more.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Client;

internal enum CveVerdict
{
    /// <summary>A patch that names it is in force.</summary>
    Fixed,

    /// <summary>The same, and a module that the patch is for is not loaded: the kernel patches it as it comes.</summary>
    FixedWhereLoaded,

    /// <summary>A patch that names it is here, and what it changes is not in the kernel.</summary>
    NotFixed,

    /// <summary>Nothing here proves the one or the other.</summary>
    Unknown,
}

/// <param name="Patch">The patch that the answer rests on; null when none names the CVE.</param>
/// <param name="Why">What is said of it behind the verdict.</param>
/// <param name="ExitCode">Of `check` about this CVE alone.</param>
internal sealed record CveAnswer(string Cve, CveVerdict Verdict, PatchFacts? Patch, string Why, int ExitCode)
{
    public bool IsFixed => Verdict is CveVerdict.Fixed or CveVerdict.FixedWhereLoaded;

    public string Text => $"{Cve}: {Word(Verdict)}{(IsFixed ? " by " : ": ")}{Why}";

    /// <summary>The objects of the patch whose modules are not loaded, in words; null when there are none.</summary>
    public string? NotLoaded => Patch is { } patch && patch.Objects.Where(static o => o.IsNotLoaded).Select(static o => o.Name).ToList() is { Count: > 0 } absent
        ? $"{(absent.Count == 1 ? "module" : "modules")} {string.Join(", ", absent)} {(absent.Count == 1 ? "is" : "are")} not loaded"
        : null;

    public static string Word(CveVerdict verdict) => verdict switch
    {
        CveVerdict.Fixed => "fixed",
        CveVerdict.FixedWhereLoaded => "fixed where it is loaded",
        CveVerdict.NotFixed => "not fixed",
        _ => "unknown",
    };

    /// <param name="refused">How many files the daemon does not take: what those name is not shown on the bus.</param>
    public static CveAnswer Of(string cve, IEnumerable<PatchFacts> patches, int refused, TimeProvider clock)
    {
        // The nearest to a fix speaks for the CVE: a refused old patch is no matter where a new one is in force.
        var patch = patches.Where(p => p.Cves.Contains(cve)).OrderBy(Distance).ThenBy(static p => p.Name, StringComparer.Ordinal).FirstOrDefault();
        if (patch is null)
        {
            var unread = refused == 0 ? "" : $" ({refused} refused {(refused == 1 ? "file is" : "files are")} not counted)";
            return new(cve, CveVerdict.Unknown, null, $"no patch here names it{unread}; this says nothing of the kernel's own fixes", Ctl.ExitCode.CheckUnknown);
        }
        if (IsInForce(patch))
        {
            var answer = new CveAnswer(cve, CveVerdict.Fixed, patch, Since(patch, clock), Ctl.ExitCode.Ok);
            return answer.NotLoaded is { } absent ? answer with { Verdict = CveVerdict.FixedWhereLoaded, Why = $"{answer.Why}; {absent}" } : answer;
        }
        if (patch.Shortfall is { } shortfall)
            return new(cve, CveVerdict.NotFixed, patch, $"{Named(patch)} is {patch.State}, and {shortfall}", Ctl.ExitCode.CheckPending);
        return Unproved(patch) is { } why
            ? new(cve, CveVerdict.Unknown, patch, $"{Named(patch)} {why}", Ctl.ExitCode.CheckUnknown)
            : new(cve, CveVerdict.NotFixed, patch, $"{Named(patch)} is {PatchText.StateAndReason(patch.State, patch.Reason)}", CodeOf(patch));
    }

    /// <summary>Loaded, in force for every task in every object that is in the kernel, and what runs is the file that the manifest belongs to.</summary>
    public static bool IsInForce(PatchFacts patch) =>
        patch is { IsLoaded: true, Shortfall: null, LoadedSince: not null } && IsItsFile(patch);

    /// <summary>`lp_x 1.2`.</summary>
    public static string Named(PatchFacts patch) => patch.Version is null ? patch.Name : $"{patch.Name} {patch.Version}";

    /// <summary>The worst counts: an unfit kernel, then what was refused, what is still to come, what nobody can tell.</summary>
    public static int Worst(IEnumerable<CveAnswer> answers)
    {
        int[] worstFirst = [Ctl.ExitCode.CheckUnsupported, Ctl.ExitCode.Refused, Ctl.ExitCode.CheckPending, Ctl.ExitCode.CheckUnknown];
        var codes = answers.Select(static a => a.ExitCode).ToHashSet();
        return worstFirst.FirstOrDefault(codes.Contains, Ctl.ExitCode.Ok);
    }

    // Without a build id the daemon's own load is proof enough: it loads the bytes that it has inspected.
    private static bool IsItsFile(PatchFacts patch) => patch.Identity == "match" || (patch.Identity is null or "unknown" && patch.Origin == "daemon");

    private static string Since(PatchFacts patch, TimeProvider clock)
    {
        var since = $"{Named(patch)} since {TimeText.LocalRfc3339(patch.LoadedSince!.Value, clock)}";
        return patch.KnownState is not PatchState.Soaking ? since
            : patch.SoakUntil is { } end ? $"{since}, soaking until {TimeText.LocalRfc3339(end, clock)}"
            : $"{since}, soaking";
    }

    private static string? Unproved(PatchFacts patch) => patch.KnownState switch
    {
        PatchState.Active or PatchState.Soaking when !IsItsFile(patch) => $"is {patch.State}, and what runs is not known to be the file",
        PatchState.Active or PatchState.Soaking => $"is {patch.State}, and since when is not known",
        PatchState.Forced => "was forced: tasks may still run the old code",
        PatchState.Foreign => "was loaded by somebody else, so the manifest may not be its own",
        PatchState.Superseded when patch.KnownReason?.Reason is Reason.ReplacedByForeign => null,
        PatchState.Superseded => "is superseded, and no patch in force names the CVE",
        null => $"is {patch.State}, a state that this tool does not know",
        _ => null,
    };

    private static int CodeOf(PatchFacts patch) => patch.KnownState switch
    {
        PatchState.Rejected or PatchState.Quarantined => Ctl.ExitCode.Refused,
        PatchState.Unsupported => Ctl.ExitCode.CheckUnsupported,
        _ => Ctl.ExitCode.CheckPending,
    };

    private static int Distance(PatchFacts patch) => IsInForce(patch) ? (patch.KnownState is PatchState.Active ? 0 : 1) : patch.KnownState switch
    {
        PatchState.Active or PatchState.Soaking or PatchState.Forced => 2,
        PatchState.Transitioning or PatchState.Stalled or PatchState.Loading or PatchState.Staged or PatchState.Held => 3,
        PatchState.Foreign or PatchState.Superseded => 4,
        PatchState.Reversing or PatchState.Reverting or PatchState.Reverted => 5,
        PatchState.Rejected or PatchState.Quarantined => 6,
        _ => 7,
    };
}
