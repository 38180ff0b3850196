// Everything the planner may look at.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Planning;

/// <summary>A kernel operation that is running on the worker right now.</summary>
public sealed record Busy(PlanStep Step);

/// <summary>Of one patch: what was seen of one transition is never held against the next.</summary>
public sealed record TransitionAlarm(PatchName Patch, string Detail);

/// <param name="Token">Copied from the report of the blockers.</param>
public sealed record ForceRequest(PatchName Patch, string Token);

/// <param name="Bar">Null, or why nothing may be changed: observe mode, kill switch, unreadable journal.</param>
public sealed record PlannerInput(
    ObservedState Seen,
    DesiredState Want,
    Ledger Ledger,
    Settings Settings,
    Reason? Bar,
    Busy? Busy,
    Instant Now)
{
    /// <summary>
    /// The ledger is whole although its journal is not: it was read in this run, and damaged after that. False where the damage was met at
    /// the start, and the ledger is what could be salvaged.
    /// </summary>
    public bool LedgerStands { get; init; }

    /// <summary>The host has finished booting; before that only confirmed patches are loaded.</summary>
    public bool BootComplete { get; init; } = true;

    /// <summary>The oldest job that the boot waits for, as far as systemd told it.</summary>
    public string? BootHolder { get; init; }

    /// <summary>When a boot that has not ended is not waited for any longer.</summary>
    public Instant? BootWaitEnds { get; init; }

    /// <summary>The boot has not ended, and is not waited for any longer.</summary>
    public bool BootStuck { get; init; }

    /// <summary>What the gates say at this moment.</summary>
    public GateBoard Gates { get; init; } = GateBoard.AllOpen;

    /// <summary>The same for patches whose manifest has gates of its own.</summary>
    public ImmutableDictionary<Sha256, GateBoard> PatchGates { get; init; } = ImmutableDictionary<Sha256, GateBoard>.Empty;

    /// <summary>What was read of the kernel to foresee loads.</summary>
    public PreflightFacts Preflight { get; init; } = PreflightFacts.None;

    /// <summary>Modules that the kernel keeps out because of a loaded patch, in words.</summary>
    public ImmutableDictionary<PatchName, string> TargetRefusals { get; init; } = ImmutableDictionary<PatchName, string>.Empty;

    /// <summary>Scales the deadlines of transitions.</summary>
    public MachineSize Size { get; init; }

    /// <summary>The running transition must be taken back at once for the machine's sake; null while it may go on.</summary>
    public TransitionAlarm? Abort { get; init; }

    /// <summary>The running transition can never end; null while nothing shows that.</summary>
    public TransitionAlarm? NeverCompletes { get; init; }

    /// <summary>An operator has asked to force the running transition.</summary>
    public ForceRequest? ForceAsked { get; init; }

    /// <summary>Of the newest report of who blocks the running transition: only who has seen it may force.</summary>
    public string? BlockersToken { get; init; }
}
