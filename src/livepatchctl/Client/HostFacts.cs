// The daemon and its host as the manager object shows them.
namespace LivePatchd.Ctl.Client;

internal sealed record Hold(string Patch, string Reason, DateTimeOffset? RetryAt);

/// <summary>A file in a watched directory that the daemon does not take.</summary>
internal sealed record FileRefusal(string Path, string Reason, string Detail);

/// <summary>Something that is not as usual on the host as a whole.</summary>
internal sealed record ConditionFacts(string Reason, string Detail)
{
    /// <summary>`operator-hold: "why" (uid 0)`.</summary>
    public override string ToString() => Detail.Length == 0 ? Reason : $"{Reason}: {Detail}";
}

/// <param name="Total">Tasks that take part; 0 while they have not been looked at.</param>
internal sealed record Transition(string Patch, DateTimeOffset? Since, ulong Switched, ulong Total);

/// <param name="State">running, observing or unsupported.</param>
internal sealed record HostFacts(string Version, string KernelRelease, string Mode, string State, string? Reason)
{
    public const string Unsupported = "unsupported";
    public const string Running = "running";

    public Transition? Transition { get; init; }

    public IReadOnlyList<Hold> Holds { get; init; } = [];

    /// <summary>Every refused file, those of known patches too.</summary>
    public IReadOnlyList<FileRefusal> RefusedFiles { get; init; } = [];

    public DateTimeOffset? NextAttempt { get; init; }

    public ulong ConfigGeneration { get; init; }

    public IReadOnlyList<string> ConfigErrors { get; init; } = [];

    public IReadOnlyList<string> NotInForce { get; init; } = [];

    public ulong Tainted { get; init; }

    /// <summary>Empty from a daemon that does not tell them yet.</summary>
    public IReadOnlyList<string> Directories { get; init; } = [];

    /// <summary>The worst first.</summary>
    public IReadOnlyList<ConditionFacts> Conditions { get; init; } = [];

    /// <summary>The refused files that no patch tells of.</summary>
    public IReadOnlyList<FileRefusal> StrayFiles(IEnumerable<PatchFacts> patches)
    {
        var known = patches.Select(static p => p.File).ToHashSet();
        return [.. RefusedFiles.Where(f => !known.Contains(f.Path))];
    }

    public static HostFacts From(Dictionary<string, object> values) => new(
        values.Text("Version") ?? "",
        values.Text("KernelRelease") ?? "",
        values.Text("Mode") ?? "",
        values.Text("State") ?? "",
        values.Text("Reason"))
    {
        Transition = values.Text("TransitionPatch") is { } patch ? new Transition(patch, values.Moment("TransitionSinceUsec"), values.Number("TransitionTasksSwitched"), values.Number("TransitionTasksTotal")) : null,
        Holds =
        [
            .. values.Structs("HoldReasons")
                .Where(static s => s is [string, string, ulong])
                .Select(static s => new Hold((string)s[0], (string)s[1], Properties.Moment((ulong)s[2]))),
        ],
        RefusedFiles =
        [
            .. values.Structs("RefusedFiles")
                .Where(static s => s is [string, string, string])
                .Select(static s => new FileRefusal((string)s[0], (string)s[1], (string)s[2])),
        ],
        NextAttempt = values.Moment("NextAttemptUsec"),
        ConfigGeneration = values.Number("ConfigGeneration"),
        ConfigErrors = values.Texts("ConfigErrors"),
        NotInForce = values.Texts("NotInForce"),
        Tainted = values.Number("Tainted"),
        Directories = values.Texts("Directories"),
        Conditions = [.. values.Structs("Conditions").Where(static s => s is [string, string]).Select(static s => new ConditionFacts((string)s[0], (string)s[1]))],
    };
}
