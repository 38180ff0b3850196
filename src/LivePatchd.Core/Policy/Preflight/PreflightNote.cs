// What is worth knowing before a load although it stands in nobody's way: a closed list of kinds, each note one sentence.
namespace LivePatchd.Core.Policy.Preflight;

public enum PreflightNoteKind
{
    /// <summary>A module that the patch is for is not loaded: its part waits for it.</summary>
    TargetNotLoaded,

    /// <summary>A plain trace of the function: both go on working.</summary>
    Traced,

    /// <summary>A BPF program is attached to the function: the kernel lets both work.</summary>
    BpfAttached,

    /// <summary>A probe inside of the old code, which is not run any more.</summary>
    ProbeStops,

    /// <summary>Another patch has the function too: the newest wins.</summary>
    StacksOn,

    /// <summary>A cumulative patch: the others go when it is active.</summary>
    Replaces,

    /// <summary>Keys of the manifest are not followed: it is not signed, and modules must be.</summary>
    ManifestIgnored,

    /// <summary>Something could not be looked at, so that nothing is said about it.</summary>
    Unknown,
}

/// <param name="Text">One line, without a stop.</param>
public sealed record PreflightNote(PreflightNoteKind Kind, string Text);

public static class PreflightNoteWords
{
    public static string Word(this PreflightNoteKind kind) => kind switch
    {
        PreflightNoteKind.TargetNotLoaded => "target-not-loaded",
        PreflightNoteKind.Traced => "traced",
        PreflightNoteKind.BpfAttached => "bpf-attached",
        PreflightNoteKind.ProbeStops => "probe-stops",
        PreflightNoteKind.StacksOn => "stacks-on",
        PreflightNoteKind.Replaces => "replaces",
        PreflightNoteKind.ManifestIgnored => "manifest-ignored",
        PreflightNoteKind.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
