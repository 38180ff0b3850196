// Puts one look's facts together into the snapshot that bus and metrics show.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Publish;

/// <summary>Host-level facts that the planner does not know.</summary>
internal sealed record HostFacts(
    string Version, string Mode, ulong ConfigGeneration, ImmutableArray<string> ConfigErrors)
{
    /// <summary>Of the configuration and the kill switches: what keeps the daemon from changing the kernel.</summary>
    public ImmutableArray<HostCondition> Bars { get; init; } = [];

    /// <summary>Of reading the directories: what keeps the daemon from seeing them as it should.</summary>
    public ImmutableArray<HostCondition> Reading { get; init; } = [];
}

internal static class SnapshotBuilder
{
    public static DaemonSnapshot Build(
        PlannerInput input,
        Plan plan,
        ImmutableArray<Verdict> verdicts,
        IReadOnlyDictionary<PatchName, PatchLife> lives,
        HostFacts host,
        GatesView gates,
        BlockingView? blocking,
        ImmutableArray<JobView> jobs,
        ImmutableArray<HistoryEntry> history)
    {
        var conditions = Conditions.Of(input, host, gates);
        return new(
            Host(input, plan, host, blocking) with { Conditions = conditions },
            [.. verdicts.Select(v => Patch(v, lives[v.Name], input, blocking, history))],
            jobs,
            [.. plan.Holds.Select(h => new HoldView(h.Name, h.Reason, h.RetryAt?.Wall))],
            input.Want.Refused,
            gates,
            blocking,
            PlanJson.Write(plan, PatchPrediction.All(input, plan), conditions),
            history,
            input.Now);
    }

    private static HostView Host(PlannerInput input, Plan plan, HostFacts host, BlockingView? blocking)
    {
        var kernel = input.Seen.Kernel;
        Reason? unsupported = !kernel.LivepatchPresent ? Reason.LivepatchAbsent
            : !kernel.CanLoadModules ? Reason.NoPrivilege
            : null;
        var next = plan.Holds.Where(h => h.RetryAt is not null).Select(h => h.RetryAt!.Value.Wall).Order().Cast<DateTimeOffset?>().FirstOrDefault();
        return new HostView(
            host.Version,
            kernel.Release,
            host.Mode,
            unsupported is not null ? "unsupported" : input.Bar is not null ? "observing" : "running",
            unsupported ?? input.Bar,
            blocking?.Patch,
            blocking?.Since.Wall,
            next,
            host.ConfigGeneration,
            host.ConfigErrors,
            input.Settings.NotInForce,
            kernel.Tainted)
        {
            Directories = [.. input.Settings.Directories.Select(d => d.Path)],
        };
    }

    /// <summary>Is what runs the file? The linker gives every build an id of its own, which the kernel shows of a loaded module.</summary>
    private static string Identity(LoadedPatch? loaded, BuildId? file, bool hasFile) =>
        loaded is not { ModulePresent: true } || !hasFile ? ""
        : loaded.BuildId is null || file is null ? "unknown"
        : loaded.BuildId == file ? "match" : "differs";

    private static PatchView Patch(Verdict v, PatchLife life, PlannerInput input, BlockingView? blocking, ImmutableArray<HistoryEntry> history)
    {
        var loaded = input.Seen.Find(v.Name);
        var owned = input.Ledger.Owned.GetValueOrDefault(v.Name);
        var wanted = input.Want.Wanted.FirstOrDefault(w => w.Name == v.Name && (w.Module.Digest == v.Digest || owned is not null && owned.Digest == v.Digest && w.Module.Identity.Matches(owned.Identity)));
        var identity = owned is not null && owned.Digest == v.Digest ? owned.Identity
            : v.Digest is { } digest ? new PatchIdentity(digest, wanted?.Module.Content)
            : (PatchIdentity?)null;
        var failure = identity is { } patch ? input.Ledger.Failures.Of(patch) : null;
        return new PatchView(
            v.Name,
            life.State,
            v.Reason,
            v.Detail ?? (v.Reason is null && owned?.Coincidence is { Length: > 0 } coincided ? $"the soak began anew: {coincided}" : ""),
            v.Digest,
            v.BuildId,
            Identity(loaded, owned?.BuildId ?? wanted?.Module.BuildId, owned is not null || wanted is not null),
            loaded is { Directory: true } ? input.Seen.Kernel.Release : wanted?.Module.Info.KernelRelease ?? input.Seen.Kernel.Release,
            life.State is PatchState.Foreign ? "foreign"
                : owned is null ? "none"
                : owned.Origin is PatchOrigin.Adopted ? "adopted" : "daemon",
            v.Path ?? "",
            wanted?.Manifest?.Version ?? "",
            wanted?.Manifest?.Cves ?? [],
            loaded?.Objects ?? [],
            loaded?.Replace,
            loaded?.StackOrder,
            loaded?.State is KernelPatchState.Active ? owned?.ActiveAt?.Wall : null,
            life.Since,
            v.RetryAt?.Wall,
            owned is null ? null : Probation.EndsAt(owned, input.Ledger, input.Want, input.Settings)?.Wall,
            failure?.Count ?? 0,
            failure?.Detail ?? input.Ledger.RevertFailures.GetValueOrDefault(v.Name)?.Detail ?? "",
            blocking?.Patch == v.Name ? blocking.Report?.Blockers ?? [] : [],
            History.Latest(history, v.Name))
        {
            PendingSince = life.PendingSince is { } pending && input.Ledger.WaitingSince(v.Name, input.Now) is { } waiting && waiting.IsBefore(pending) ? waiting : life.PendingSince,
            Grade = owned is not null && life.State is not (PatchState.Quarantined or PatchState.Held) ? input.Ledger.Against(owned)?.Grade ?? (owned.Coincidence is null ? null : EvidenceGrade.Coincidence)
                : identity is { } about ? input.Ledger.Quarantined.Of(about)?.Grade : null,
            Signature = wanted?.Evidence.Shown ?? SignatureEvidence.None,
            ManifestIgnored = wanted?.Manifest?.Ignored ?? [],
        };
    }
}
