// What the daemon will do, as data: the executor runs the first step, everybody else reads the list.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Planning;

public abstract record PlanStep(PatchName Name)
{
    /// <summary>finit_module of the stored copy.</summary>
    public sealed record Load(PatchName Name, Sha256 Digest) : PlanStep(Name);

    /// <summary>Take over, as it stands, a patch that somebody else loaded and the directory wants in this very build.</summary>
    public sealed record Adopt(PatchName Name, Sha256 Digest) : PlanStep(Name);

    /// <summary>Nothing to do but to let the kernel finish its transition.</summary>
    public sealed record Await(PatchName Name) : PlanStep(Name);

    /// <summary>Write 0 to `enabled` of the patch in transition: its enable is taken back.</summary>
    public sealed record Reverse(PatchName Name, Reason Why, string? Detail = null) : PlanStep(Name);

    /// <summary>Write 1 to `enabled` of the patch in transition: its disable, which does not end, is taken back.</summary>
    public sealed record Reenable(PatchName Name, Reason Why, string? Detail = null) : PlanStep(Name);

    /// <summary>Write 1 to `force`: only ever for an operator who asked for it, of the transition that was shown to them.</summary>
    public sealed record Force(PatchName Name) : PlanStep(Name);

    /// <summary>Write 0 to `enabled`.</summary>
    public sealed record Disable(PatchName Name, Reason Why) : PlanStep(Name);

    /// <summary>delete_module.</summary>
    public sealed record Unload(PatchName Name, Reason Why) : PlanStep(Name);

    /// <summary>The word on every surface.</summary>
    public string Action => this switch
    {
        Load => "load",
        Adopt => "adopt",
        Await => "await",
        Reverse => "reverse",
        Reenable => "reenable",
        Force => "force",
        Disable => "disable",
        Unload => "unload",
        _ => throw new InvalidOperationException("closed set"),
    };

    /// <summary>Digest where the step is about certain bytes.</summary>
    public Sha256? DigestOrNull => this switch
    {
        Load s => s.Digest,
        Adopt s => s.Digest,
        _ => null,
    };

    /// <summary>What was seen, where the step answers to something seen.</summary>
    public string? DetailOrNull => this switch
    {
        Reverse s => s.Detail,
        Reenable s => s.Detail,
        _ => null,
    };

    public Reason? WhyOrNull => this switch
    {
        Reverse s => s.Why,
        Reenable s => s.Why,
        Disable s => s.Why,
        Unload s => s.Why,
        _ => null,
    };
}
