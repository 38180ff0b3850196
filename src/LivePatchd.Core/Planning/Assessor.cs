// One name: what is true of it, and the steps it asks for.
using System.Collections.Immutable;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;

namespace LivePatchd.Core.Planning;

/// <param name="LookAgain">Time after which the kernel is worth another look because of this name.</param>
internal sealed record Assessment(Verdict Verdict, ImmutableArray<PlanStep> Steps, TimeSpan? LookAgain = null);

internal static class Assessor
{
    /// <summary>The kernel frees a disabled patch from a work queue: its directory and reference go within milliseconds.</summary>
    private static readonly TimeSpan ReleaseLook = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(15);

    internal static readonly TimeSpan CoarseLook = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan PinnedLook = TimeSpan.FromSeconds(30);

    /// <summary>Null when the name is of no interest: a foreign leftover that nobody asks for.</summary>
    public static Assessment? Assess(Situation s, PlannerInput input)
    {
        if (input.Busy?.Step is { } step && step.Name == s.Name && Running(s, step) is { } running)
            return running;
        if (s.Kernel is KernelPatchState.Opaque)
            return new(About(s, LifecycleEvent.CannotPatch, Reason.UnsupportedLivepatch, detail: "its directory in /sys/kernel/livepatch has no transition file"), []);
        if (s.Foreign)
            return Foreign(s, input);
        if (input.Ledger.Forced.Contains(s.Name) && s.Owned is not null)
        {
            return Emergency.Of(s.Owned, input.Ledger) is { Quarantined: true } pinned && s.Kernel is not KernelPatchState.NotLoaded
                ? Emergency.ToLeaveByReboot(s, pinned)
                : new(About(s, LifecycleEvent.PinnedByForce, Reason.ForcedUntilReboot), []);
        }
        if (Emergency.Assess(s, input) is { } urgent)
            return urgent;
        return s.Kernel switch
        {
            KernelPatchState.Enabling => InTransition.Enabling(s, input),
            KernelPatchState.Active => Active(s, input),
            KernelPatchState.Disabling => InTransition.Disabling(s, input),
            KernelPatchState.Disabled => new(Leaving(s, input), [], ReleaseLook),
            KernelPatchState.Unused => Unused(s, input),
            KernelPatchState.Pinned => Pinned(s, input),
            _ => Absent(s, input),
        };
    }

    private static Assessment? Running(Situation s, PlanStep step) => step switch
    {
        // The kernel registers the patch inside the call; that it is complete counts once the call has said so.
        PlanStep.Load when s.Loaded is { Directory: true } => new(About(s, LifecycleEvent.Enabling), [], CoarseLook),
        PlanStep.Load => new(About(s, LifecycleEvent.LoadCalled), [], CoarseLook),
        PlanStep.Reverse r => new(About(s, LifecycleEvent.Cancelling, r.Why, detail: r.Detail), []),
        PlanStep.Reenable r => new(About(s, LifecycleEvent.Cancelling, r.Why, detail: r.Detail), []),
        PlanStep.Force => new(About(s, LifecycleEvent.PinnedByForce, Reason.ForcedUntilReboot), []),
        PlanStep.Disable d => new(About(s, LifecycleEvent.Leaving, d.Why), []),
        PlanStep.Unload u => new(About(s, LifecycleEvent.Leaving, u.Why), []),
        _ => null,
    };

    private static Assessment? Foreign(Situation s, PlannerInput input)
    {
        var mine = s.Wanted is not null && !Unwanted(s, input).HasValue;
        if (mine && s.Wanted!.Module.BuildId is { } id && s.Loaded!.BuildId == id
            && s.Kernel is KernelPatchState.Active or KernelPatchState.Enabling && input.Bar is null)
        {
            // What we would take out at once is not ours to take over.
            var patch = s.Wanted.Module.Identity;
            var trusted = !input.Ledger.Quarantined.Has(patch) && !input.Ledger.IsUnconfirmed(s.Name, patch);
            return new(About(s, LifecycleEvent.SeenForeign, Reason.LoadedByHand), trusted ? [new PlanStep.Adopt(s.Name, patch.Digest)] : []);
        }
        if (mine)
            return new(About(s, LifecycleEvent.Blocked, Reason.NameInUse, detail: Occupant.Describe(s)), [], PinnedLook);
        return s.Loaded!.Directory
            ? new(About(s, LifecycleEvent.SeenForeign, Reason.LoadedByHand, detail: s.Name.IsManageable ? null : "its name has characters that livepatchd takes no file of"), [])
            : null;
    }

    private static Assessment Active(Situation s, PlannerInput input)
    {
        if (Unwanted(s, input) is { } why)
        {
            // What is good is not given up for what would not be let in.
            return why is Reason.NewVersion && Admission.Check(s.Wanted!, input) is { } obstacle
                ? new(About(s, Standing(s, input), obstacle.Reason, obstacle.RetryAt, obstacle.Detail), [])
                : TakeOut(s, why, input);
        }
        if (StaysThough(s) is { } though)
            return new(About(s, Standing(s, input), though, detail: s.Refused?.Detail), []);
        if (s.Loaded!.Shortfall is { } shortfall)
            return new(About(s, Standing(s, input), shortfall.Reason, detail: shortfall.Detail), []);
        var surprise = input.TargetRefusals.GetValueOrDefault(s.Name);
        return new(About(s, Standing(s, input), surprise is null ? null : Reason.TargetModuleRefused, detail: surprise), []);
    }

    private static LifecycleEvent Standing(Situation s, PlannerInput input) =>
        input.Ledger.Confirmed.Has(s.Owned!.Identity) ? LifecycleEvent.Patched : LifecycleEvent.OnProbation;

    /// <summary>A loaded patch whose file went bad or out of sight stays, and says why it is not changed.</summary>
    private static Reason? StaysThough(Situation s) =>
        s.Unknown ? Reason.DirectoryUnreadable
        : s.Contested ? Reason.DuplicateName
        : s.Refused?.Reason;

    private static Assessment TakeOut(Situation s, Reason why, PlannerInput input)
    {
        if (input.Bar is { } bar)
            return new(About(s, Standing(s, input), bar), []);
        if (RevertPause(s, input) is { } pause)
            return new(About(s, Standing(s, input), pause.Reason, pause.RetryAt, pause.Detail), []);
        var passage = Gatepost.Ask(s.Name, s.Wanted, input);
        if (passage.Obstacle is { } gate)
            return new(About(s, Standing(s, input), gate.Reason, gate.RetryAt, gate.Detail), []);
        // With kernel.modules_disabled the code goes out of use, and the module stays.
        ImmutableArray<PlanStep> steps = input.Seen.Kernel.ModulesDisabled ? [new PlanStep.Disable(s.Name, why)] : [new PlanStep.Disable(s.Name, why), new PlanStep.Unload(s.Name, why)];
        if (why is Reason.NewVersion)
            steps = steps.Add(new PlanStep.Load(s.Name, s.Wanted!.Module.Digest));

        // It runs until the write is made: what is only planned is no state.
        return new(About(s, Standing(s, input), passage.Note ?? why), steps);
    }

    private static Assessment Unused(Situation s, PlannerInput input)
    {
        if (input.Seen.Kernel.ModulesDisabled)
            return new(ModuleStays(s, input), []);
        var verdict = Leaving(s, input);
        if (Emergency.BarOf(s, input) is { } bar)
            return new(verdict with { Reason = bar }, []);
        if (RevertPause(s, input) is { } pause)
            return new(verdict with { Reason = pause.Reason, RetryAt = pause.RetryAt, Detail = pause.Detail }, []);
        return new(verdict, [new PlanStep.Unload(s.Name, verdict.Reason ?? Reason.RemovedFromDirectory)]);
    }

    /// <summary>Its code is out of use, and nothing of it is left to do: the module itself can go only with the next boot.</summary>
    private static Verdict ModuleStays(Situation s, PlannerInput input) =>
        Emergency.Of(s.Owned, input.Ledger) is { } cause ? About(s, cause.Quarantined ? LifecycleEvent.Quarantined : LifecycleEvent.Out, cause.Reason, detail: cause.Detail)
        : s.Owned!.SupersededBy is not null && !input.Ledger.Reverted.Contains(s.Name) ? Replaced(s, input)
        : s.Wanted is not null && Unwanted(s, input) is null ? About(s, LifecycleEvent.Blocked, Reason.ModulesDisabled)
        : About(s, LifecycleEvent.Out, Reason.ModulesDisabled, detail: $"{(WhyLeaving(s, input) ?? Reason.DisabledByHand).Word()}; the module stays until reboot");

    private static Assessment Pinned(Situation s, PlannerInput input)
    {
        var since = s.Owned!.DisabledAt ?? s.Owned.StartedAt;
        if (input.Now.Since(since) < ReleasePatience)
        {
            // Without a cause yet, a load of which nobody knows that it ended is still a load.
            var halfLoaded = s.Owned is { ActiveAt: null, DisabledAt: null, SupersededBy: null } && Emergency.Of(s.Owned, input.Ledger) is null;
            return halfLoaded ? new(About(s, LifecycleEvent.LoadCalled), [], CoarseLook) : new(Leaving(s, input), [], ReleaseLook);
        }
        // What oopsed in its init stays half loaded until a reboot.
        return Emergency.Of(s.Owned, input.Ledger) is { Quarantined: true } cause
            ? Emergency.ToLeaveByReboot(s, cause)
            : new(About(s, LifecycleEvent.Blocked, Reason.ModuleInUse), [], PinnedLook);
    }

    private static Assessment? Absent(Situation s, PlannerInput input)
    {
        if (s.Contested && s.Wanted is null)
            return new(About(s, LifecycleEvent.Refused, Reason.DuplicateName), []);
        if (s.Wanted is not { } wanted)
        {
            return s.Refused is { } refused
                ? new(new Verdict(s.Name, LifecycleEvent.Refused, refused.Reason, Path: refused.Path, Detail: refused.Detail), [])
                : null;
        }
        // That a better one is there does not hide what is held against it.
        var patch = wanted.Module.Identity;
        var judged = input.Ledger.Quarantined.Has(patch) || input.Ledger.IsUnconfirmed(s.Name, patch);
        if (Unwanted(s, input) is { } why && !(judged && why is Reason.ReplacedByNewer))
            return new(why is Reason.ReplacedByNewer ? Replaced(s, input) : About(s, LifecycleEvent.Out, why), []);
        if (input.Ledger.IsUnconfirmed(s.Name, patch))
            return new(About(s, LifecycleEvent.Out, Reason.NotConfirmed), []);
        if ((DriftPolicy.Check(wanted, input) ?? Admission.Check(wanted, input)) is { } obstacle)
            return new(About(s, obstacle.Event, obstacle.Reason, obstacle.RetryAt, obstacle.Detail), []);
        var passage = Emergency.Restores(s.Name, input) ? default : Gatepost.Ask(s.Name, wanted, input);
        return passage.Obstacle is { } gate
            ? new(About(s, gate.Event, gate.Reason, gate.RetryAt, gate.Detail), [])
            : passage.Note is null && input.BootStuck && !input.Ledger.Confirmed.Has(patch)
            ? new(About(s, LifecycleEvent.Ready, Reason.BootStuck, detail: Admission.Holder(input)), [new PlanStep.Load(s.Name, patch.Digest)])
            : new(About(s, LifecycleEvent.Ready, passage.Note), [new PlanStep.Load(s.Name, patch.Digest)]);
    }

    /// <summary>Why the patch is not taken out just now: the last try failed, and the next is not due.</summary>
    internal static Obstacle? RevertPause(Situation s, PlannerInput input)
    {
        if (!input.Ledger.RevertFailures.TryGetValue(s.Name, out var failure))
            return null;
        if (Stalls.IsExhausted(failure, input.Settings.Transition))
            return new(LifecycleEvent.Blocked, Reason.AttemptsExhausted, null, failure.Detail);
        return RetryPolicy.RetryAt(failure, input.Settings.Transition) is { } retry && input.Now.IsBefore(retry)
            ? new(LifecycleEvent.Blocked, failure.Reason, retry, failure.Detail)
            : null;
    }

    /// <summary>Why this name must not be in the kernel, or null when it must or may stay.</summary>
    internal static Reason? Unwanted(Situation s, PlannerInput input)
    {
        if (s.Owned is { } owned && input.Want.Denied.Has(owned.Identity))
            return Reason.Denied;
        if (input.Ledger.Reverted.Contains(s.Name))
            return Reason.RevertedByOperator;
        if (s.Owned?.SupersededBy is not null || Supersession.Holds(s.Name, s.Wanted?.Module.Identity, input))
            return Reason.ReplacedByNewer;
        if (s.Wanted is { } wanted)
            return s.Owned is not null && !s.Owned.Identity.Matches(wanted.Module.Identity) ? Reason.NewVersion : null;
        return s.Contested || s.Refused is not null || s.Unknown || s.Awaited ? null : Reason.RemovedFromDirectory;
    }

    private static Verdict Leaving(Situation s, PlannerInput input) =>
        Emergency.Of(s.Owned, input.Ledger) is { } cause ? About(s, LifecycleEvent.Leaving, cause.Reason, detail: cause.Detail)
        : s.Owned!.SupersededBy is not null ? Replaced(s, input)
        : input.Ledger.DisabledByHand.ContainsKey(s.Name) ? About(s, LifecycleEvent.Leaving, Reason.DisabledByHand)
        : InTransition.TakenBack(s, input) is { } mark ? About(s, LifecycleEvent.Leaving, mark.Reason, detail: mark.Detail)
        : About(s, LifecycleEvent.Leaving, WhyLeaving(s, input) ?? Reason.DisabledByHand);

    /// <summary>Null when it was somebody else. A file that is back by now does not make a disable of ours one by hand.</summary>
    internal static Reason? WhyLeaving(Situation s, PlannerInput input) => Unwanted(s, input) ?? s.Owned?.DisabledFor;

    /// <summary>By one of ours it is where the files want it; by a stranger it is not in force, and nobody here said that it should not be.</summary>
    private static Verdict Replaced(Situation s, PlannerInput input)
    {
        var mark = input.Ledger.Superseded.GetValueOrDefault(s.Name);
        var by = mark?.By ?? s.Owned?.SupersededBy;
        var foreign = by is { } successor && mark is not { ByDigest: not null } && !input.Ledger.Owned.ContainsKey(successor);
        var told = foreign && by is { } stranger && input.Seen.Find(stranger) is { Replace: null } ? " (it came when this one went; this kernel does not say what a patch replaces)" : "";
        return About(s, LifecycleEvent.Replaced, foreign ? Reason.ReplacedByForeign : Reason.ReplacedByNewer, detail: by is { } name ? $"by {name}{told}" : null);
    }

    internal static Verdict About(
        Situation s, LifecycleEvent e, Reason? reason = null, Instant? retryAt = null, string? detail = null) =>
        new(s.Name, e, reason, retryAt,
            s.Owned?.Digest ?? s.Wanted?.Module.Digest,
            s.Loaded?.BuildId ?? s.Wanted?.Module.BuildId,
            s.Wanted?.Path ?? s.Owned?.Path,
            detail);
}
