// `check`: an exit code for scripts and monitoring, and one line when all is not well.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Json;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class CheckCommand
{
    private const int MaxNamed = 3;

    public static int Run(Session session, bool asJson)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("check", daemon.Error);
        using var connection = daemon.Value;
        var host = connection.Host();
        if (!host.IsOk)
            return session.Fail("check", host.Error);
        var patches = connection.PatchesWithEvidence();
        if (!patches.IsOk)
            return session.Fail("check", patches.Error);
        var strays = host.Value.StrayFiles(patches.Value);
        var (result, exitCode) = Judge(host.Value, patches.Value, strays.Count > 0);
        var unwell = patches.Value.Where(static p => Verdict(p) != ExitCode.Ok).ToList();
        if (asJson)
        {
            JsonOut.Document(session.Terminal, json =>
            {
                json.WriteString("result", result);
                json.WriteNumber("exit_code", exitCode);
                StatusJson.Conditions(json, host.Value.Conditions);
                CheckJson.PatchesAndFiles(json, unwell, strays);
            });
        }
        else if (exitCode != ExitCode.Ok || host.Value.Conditions.Count > 0)
        {
            session.Terminal.Out.WriteLine(TextOf.Clean($"{result}: {Because(host.Value, exitCode, unwell, strays)}"));
        }
        return exitCode;
    }

    /// <summary>The worst counts: no livepatch at all, then what was refused, then what is still to come.</summary>
    public static (string Result, int ExitCode) Judge(HostFacts host, IReadOnlyList<PatchFacts> patches, bool hasStrays)
    {
        var verdicts = patches.Select(Verdict).Concat(host.Conditions.Select(static c => HostConditions.CheckCode(c.Reason))).ToHashSet();
        return host.State == HostFacts.Unsupported || verdicts.Contains(ExitCode.CheckUnsupported) ? ("unsupported", ExitCode.CheckUnsupported)
            : hasStrays || verdicts.Contains(ExitCode.Refused) ? ("refused", ExitCode.Refused)
            : verdicts.Contains(ExitCode.CheckPending) ? ("pending", ExitCode.CheckPending)
            : ("ok", ExitCode.Ok);
    }

    // Complete by its own account, and without effect in an object: what was wanted is not in the kernel.
    // A stranger's cumulative patch has taken out one of ours; a stranger's patch that cannot be followed is nobody's wish here.
    private static int Verdict(PatchFacts patch) =>
        patch.Shortfall is not null || patch.KnownReason?.Reason is Reason.ReplacedByForeign ? ExitCode.CheckPending
        : patch is { KnownReason.Reason: Reason.UnsupportedLivepatch, File: null } ? ExitCode.Ok
        : OfState(patch);

    // A reverted or superseded patch is where somebody wants it; a foreign one is nobody's wish here. An unknown state is no proof of anything.
    private static int OfState(PatchFacts patch) => patch.KnownState switch
    {
        PatchState.Active or PatchState.Soaking or PatchState.Forced or PatchState.Reverted or PatchState.Superseded or PatchState.Foreign => ExitCode.Ok,
        PatchState.Rejected or PatchState.Quarantined => ExitCode.Refused,
        PatchState.Unsupported => ExitCode.CheckUnsupported,
        _ => ExitCode.CheckPending,
    };

    private static string Because(PatchFacts patch) =>
        (patch.Shortfall ?? (patch.KnownReason?.Reason is Reason.ReplacedByForeign or Reason.DisabledByHand ? patch.Detail : null)) is { } why ? $": {why}" : "";

    private static string Because(HostFacts host, int exitCode, List<PatchFacts> unwell, IReadOnlyList<FileRefusal> strays)
    {
        if (exitCode == ExitCode.CheckUnsupported && host.Reason is { } word)
            return ReasonTable.Parse(word) is { } reason ? $"{TextOf.WithoutStop(reason.Sentence)} ({word})" : word;
        var culprits = unwell.Where(p => Verdict(p) == exitCode).Select(static p => $"{p.Name} {PatchText.StateAndReason(p.State, p.Reason)}{Because(p)}").ToList();
        culprits.InsertRange(0, host.Conditions.Where(c => HostConditions.CheckCode(c.Reason) == exitCode).Select(static c => c.ToString()));
        if (exitCode == ExitCode.Refused)
            culprits.AddRange(strays.Select(static f => $"{f.Path} ({f.Reason})"));
        // What stands although all is well.
        if (exitCode == ExitCode.Ok)
            return string.Join(", ", host.Conditions);
        if (culprits.Count == 0)
            return "livepatchd says that this host cannot be patched";
        var named = string.Join(", ", culprits.Take(MaxNamed));
        return culprits.Count > MaxNamed ? $"{named} and {culprits.Count - MaxNamed} more" : named;
    }
}
