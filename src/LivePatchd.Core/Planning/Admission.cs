// May this wanted patch be loaded now? The first thing that stands against it, or nothing.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Core.Policy.Trust;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Planning;

/// <param name="Event">Refused, Blocked, Quarantined or CannotPatch.</param>
internal sealed record Obstacle(LifecycleEvent Event, Reason Reason, Instant? RetryAt = null, string? Detail = null);

public static class Admission
{
    /// <summary>sysctls and mounts change without an event: how often they are looked at while something waits for them.</summary>
    private static readonly TimeSpan EnvironmentRecheck = TimeSpan.FromSeconds(15);

    internal static Obstacle? Check(WantedPatch wanted, PlannerInput input)
    {
        var kernel = input.Seen.Kernel;
        if (!kernel.LivepatchPresent)
            return new(LifecycleEvent.CannotPatch, Reason.LivepatchAbsent);
        if (input.Seen.Patches.FirstOrDefault(static p => p.State is KernelPatchState.Opaque) is { } opaque)
            return new(LifecycleEvent.CannotPatch, Reason.UnsupportedLivepatch, Detail: $"{opaque.Name} has no transition file");
        if (!kernel.CanLoadModules)
            return new(LifecycleEvent.CannotPatch, Reason.NoPrivilege);
        if (input.Ledger.Quarantined.Of(wanted.Module.Identity) is { } why && Held(wanted, why, input) is { } held)
            return held;
        if (input.Bar is { } bar)
            return new(LifecycleEvent.Blocked, bar);
        if (!input.Ledger.Forced.IsEmpty)
            return new(LifecycleEvent.Blocked, Reason.ForcedUntilReboot, Detail: $"forced: {string.Join(", ", input.Ledger.Forced.Order())}");
        return Kernel(wanted, input) ?? Manifest(wanted, input) ?? Streams(wanted, input) ?? Foreseen(wanted, input) ?? Conflicts.Check(wanted, input) ?? Failed(wanted, input) ?? Boot(wanted, input);
    }

    /// <summary>What keeps these bytes out for longer than it takes to wait for a gate, a boot or another patch's transition.</summary>
    internal static Obstacle? Lasting(WantedPatch wanted, PlannerInput input)
    {
        var patch = wanted.Module.Identity;
        if (input.Ledger.Quarantined.Of(patch) is { } mark && Held(wanted, mark, input) is { } held)
            return held;
        if (input.Ledger.IsUnconfirmed(wanted.Name, patch))
            return new(LifecycleEvent.Out, Reason.NotConfirmed);
        // What the kernel has refused is not tried again and again at the cost of what it takes.
        if (input.Ledger.Failures.Of(patch) is { Reason: not (Reason.TransitionInProgress or Reason.FtraceDisabled or Reason.ModulesDisabled) } failure)
            return Failed(wanted, input) ?? (Stalls.Contains(failure.Reason) ? null : new(LifecycleEvent.Blocked, failure.Reason, Detail: failure.Detail));
        return (Kernel(wanted, input) ?? Manifest(wanted, input) ?? Streams(wanted, input) ?? Foreseen(wanted, input)) is { Event: LifecycleEvent.Refused } refused ? refused : null;
    }

    /// <summary>Null once a suspect may be tried again: one at a time, so that a second fault tells which.</summary>
    private static Obstacle? Held(WantedPatch wanted, QuarantineMark mark, PlannerInput input)
    {
        var retry = SecondChance.RetryAt(mark, input.Ledger.BootId, input.Settings, input.Now);
        if (retry is not { } at)
            return new(LifecycleEvent.Quarantined, mark.Reason, Detail: mark.Detail);
        var words = mark.Detail.Length > 0 ? $"{mark.Reason.Word()}: {mark.Detail}" : mark.Reason.Word();
        if (input.Now.IsBefore(at))
        {
            return SecondChance.IsHeld(mark)
                ? new(LifecycleEvent.Blocked, Reason.Suspected, at, words)
                : new(LifecycleEvent.Quarantined, mark.Reason, at, $"{mark.Detail} (suspect, not for the first time)");
        }
        var other = input.Ledger.Owned.Values.FirstOrDefault(o =>
            o.Name != wanted.Name && input.Ledger.Quarantined.Has(o.Identity) && Probation.Concerns(o, input.Ledger));
        return other is null ? null : new(LifecycleEvent.Blocked, Reason.Suspected, Detail: $"{words}; tried again after the soak of {other.Name}");
    }

    private static Obstacle? Streams(WantedPatch wanted, PlannerInput input)
    {
        var distrust = HighWater.Judge(wanted, input) ?? HighWater.Mixed(wanted, input, MayLoad);
        return distrust is null ? null : new(LifecycleEvent.Refused, distrust.Reason, Detail: distrust.Detail);

        bool MayLoad(WantedPatch other) =>
            !input.Ledger.Reverted.Contains(other.Name) && !input.Ledger.Quarantined.Has(other.Module.Identity)
            && (Kernel(other, input) ?? Manifest(other, input) ?? Failed(other, input))?.Event is not LifecycleEvent.Refused
            && HighWater.Judge(other, input) is null;
    }

    private static Obstacle? Kernel(WantedPatch wanted, PlannerInput input)
    {
        var kernel = input.Seen.Kernel;
        if (kernel.ModulesDisabled)
            return new(LifecycleEvent.Blocked, Reason.ModulesDisabled);
        if (SignatureJudgement.Of(wanted.Module, input.Preflight, kernel) is { } against)
            return new(LifecycleEvent.Refused, against.Reason, Detail: against.Detail);
        if (kernel.FtraceEnabled == false)
            return new(LifecycleEvent.Blocked, Reason.FtraceDisabled, input.Now.After(EnvironmentRecheck), "kernel.ftrace_enabled=0");
        return null;
    }

    private static Obstacle? Manifest(WantedPatch wanted, PlannerInput input)
    {
        if (wanted.Manifest is not { } manifest)
            return null;
        if ((Mismatch(wanted, manifest, input.Seen.Kernel.Release) ?? GateOverlay.Looser(manifest, input.Settings.Gates) ?? SoakOverlay.Looser(manifest, input.Settings.Soak, input.Want.HostChecks)) is { } mismatch)
            return new(LifecycleEvent.Refused, Reason.ManifestMismatch, Detail: mismatch);
        if (!manifest.NotInForce.IsEmpty)
            return new(LifecycleEvent.Blocked, Reason.ManifestNotInForce, Detail: string.Join(", ", manifest.NotInForce));
        if (manifest.NotAfter is { } end && input.Now.Wall > end)
            return new(LifecycleEvent.Refused, Reason.Expired, Detail: $"not-after {end:O}");
        if (manifest.NotBefore is { } start && input.Now.Wall < start)
        {
            // The wall clock may be set at any time, so a far date is looked at again every hour.
            var wait = start - input.Now.Wall;
            var hour = TimeSpan.FromHours(1);
            return new(LifecycleEvent.Blocked, Reason.NotYetValid, input.Now.After(wait < hour ? wait : hour), $"not-before {start:O}");
        }
        var missing = manifest.After.FirstOrDefault(a =>
            input.Want.Wanted.Any(w => w.Name == a) && input.Seen.Find(a)?.State is not KernelPatchState.Active);
        return missing.Value.Length > 0
            ? new(LifecycleEvent.Blocked, Reason.WaitingForOthers, Detail: $"after {missing}")
            : null;
    }

    private static string? Mismatch(WantedPatch wanted, Manifest manifest, string release) =>
        manifest.Name is { } name && name != wanted.Name ? $"name: {name}, the module says {wanted.Name}"
        : manifest.Sha256 is { } digest && digest != wanted.Module.Digest ? $"sha256: {digest}, the file has {wanted.Module.Digest}"
        : !manifest.Kernels.IsEmpty && !manifest.Kernels.Contains(release) ? $"kernels: {string.Join(", ", manifest.Kernels)}, running {release}"
        : Functions(wanted, manifest);

    /// <summary>Held against the file only where it tells for sure which functions it replaces, and only where the manifest lists any.</summary>
    private static string? Functions(WantedPatch wanted, Manifest manifest)
    {
        if (manifest.Functions.IsEmpty || wanted.Module.Footprint?.Tables is not { } tables)
            return null;
        var found = tables.Objects.SelectMany(o => o.Functions).Select(f => f.Name).ToHashSet(StringComparer.Ordinal);
        return manifest.Functions.FirstOrDefault(f => !found.Contains(f)) is { } absent ? $"functions: {absent}, which the module does not replace"
            : found.Except(manifest.Functions, StringComparer.Ordinal).Order(StringComparer.Ordinal).FirstOrDefault() is { } unlisted ? $"functions: the module replaces {unlisted} too"
            : null;
    }

    private static Obstacle? Boot(WantedPatch wanted, PlannerInput input) =>
        !input.BootComplete && !input.Ledger.Confirmed.Has(wanted.Module.Identity) && !input.Ledger.AskedFor.Contains(wanted.Name)
            ? new(LifecycleEvent.Blocked, Reason.BootNotComplete, input.BootWaitEnds, Holder(input))
            : null;

    /// <summary>What the boot waits for, in words.</summary>
    public static string? Holder(PlannerInput input) => input.BootHolder is { } job ? $"the boot waits for {job}" : null;

    /// <summary>What the kernel would refuse it is not asked for.</summary>
    public static Foresight Foresee(PatchModule module, PlannerInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Foresight.Of(
            module, input.Preflight, input.Seen,
            input.Want.Wanted.Where(w => w.Module.Footprint is not null && input.Ledger.Owned.GetValueOrDefault(w.Name)?.Identity.Matches(w.Module.Identity) == true)
            .DistinctBy(w => w.Name).ToImmutableDictionary(w => w.Name, w => w.Module.Footprint!));
    }

    private static Obstacle? Foreseen(WantedPatch wanted, PlannerInput input) => Foresee(wanted.Module, input) switch
    {
        { Reason: not { } } => null,
        { Reason: { } reason } foresight when reason.Info().Kind is ReasonKind.Permanent => new(LifecycleEvent.Refused, reason, Detail: foresight.Detail),
        var foresight => new(LifecycleEvent.Blocked, foresight.Reason!.Value, input.Now.After(EnvironmentRecheck), foresight.Detail),
    };

    private static Obstacle? Failed(WantedPatch wanted, PlannerInput input)
    {
        if (input.Ledger.Failures.Of(wanted.Module.Identity) is not { } failure)
            return null;
        if (failure.Reason is Reason.FtraceDisabled or Reason.ModulesDisabled)
            return null; // The sysctl was looked at above: its cause is gone.
        if (Stalls.IsExhausted(failure, input.Settings.Transition))
            return new(LifecycleEvent.Blocked, Reason.AttemptsExhausted, Detail: $"{failure.Reversals} attempts, the last: {failure.Reason.Word()}{(failure.Detail.Length > 0 ? ": " + failure.Detail : "")}");
        if (RetryPolicy.RetryAt(failure, input.Settings.Transition) is not { } retry)
            return new(LifecycleEvent.Refused, failure.Reason, Detail: failure.Detail);
        return input.Now.IsBefore(retry)
            ? new(LifecycleEvent.Blocked, failure.Reason, retry, failure.Detail)
            : null;
    }
}
