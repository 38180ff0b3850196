// One patch as the daemon shows it on the bus.
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Client;

/// <param name="State">The daemon's word: patched, not-loaded, not-patched, never-matches or unknown.</param>
internal sealed record PatchObject(string Name, bool? Patched, string State)
{
    /// <summary>It runs the old code, or no code will ever be it.</summary>
    public bool IsMissed => State == ObjectStanding.NotPatched.Word() || State == ObjectStanding.NeverMatches.Word();

    public bool IsNotLoaded => State == ObjectStanding.NotLoaded.Word();
}

internal sealed record PatchFunction(string Object, string Name);

/// <param name="State">The word as the daemon gave it, so that a newer daemon's word is shown and not lost.</param>
internal sealed record PatchFacts(string Name, string State, string? Reason)
{
    public string? Detail { get; init; }

    /// <summary>Of the finding that stands against it: attributed, suspect or coincidence; null where there is none, or the daemon is older.</summary>
    public string? Grade { get; init; }

    public string? Sha256 { get; init; }

    public string? BuildId { get; init; }

    /// <summary>Of the loaded module with the file: match, differs, unknown; null when there are not both.</summary>
    public string? Identity { get; init; }

    public string? KernelRelease { get; init; }

    public string? Origin { get; init; }

    public string? File { get; init; }

    public string? Version { get; init; }

    /// <summary>Who signed it, as far as is known.</summary>
    public string? Signer { get; init; }

    /// <summary>What the signature is worth: verified, untrusted, mismatch, unchecked or unsigned.</summary>
    public string? Signature { get; init; }

    /// <summary>Keys of its manifest that are not followed, for it is not signed.</summary>
    public IReadOnlyList<string> ManifestIgnored { get; init; } = [];

    public IReadOnlyList<string> Cves { get; init; } = [];

    public IReadOnlyList<PatchObject> Objects { get; init; } = [];

    public IReadOnlyList<PatchFunction> Functions { get; init; } = [];

    public bool? Replace { get; init; }

    public int? StackOrder { get; init; }

    public DateTimeOffset? LoadedSince { get; init; }

    public DateTimeOffset? StateSince { get; init; }

    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>End of its probation; null when it is on none.</summary>
    public DateTimeOffset? SoakUntil { get; init; }

    public ulong Attempts { get; init; }

    public string? LastError { get; init; }

    /// <summary>In the kernel and complete by its own account.</summary>
    public bool IsLoaded => KnownState is PatchState.Active or PatchState.Soaking;

    /// <summary>An object of the loaded patch that it has no effect on, in words; null when there is none.</summary>
    public string? Shortfall => !IsLoaded ? null
        : Objects.Count == 0 ? "it is attached to nothing"
        : Objects.FirstOrDefault(static o => o.IsMissed) is { } missed ? $"object {missed.Name} is not patched ({missed.State})"
        : null;

    public PatchState? KnownState => PatchStates.Parse(State);

    public ReasonInfo? KnownReason => Reason is null ? null : ReasonTable.Parse(Reason);

    public static PatchFacts From(Dictionary<string, object> values) =>
        new(values.Text("Name") ?? "", values.Text("State") ?? "", values.Text("Reason"))
        {
            Detail = values.Text("Detail"),
            Grade = values.Text("Grade"),
            Sha256 = values.Text("Sha256"),
            BuildId = values.Text("BuildId"),
            Identity = values.Text("Identity"),
            KernelRelease = values.Text("KernelRelease"),
            Origin = values.Text("Origin"),
            File = values.Text("File"),
            Version = values.Text("Version"),
            Signer = values.Text("Signer"),
            Signature = values.Text("Signature"),
            ManifestIgnored = values.Texts("ManifestIgnored"),
            Cves = values.Texts("Cves"),
            Objects = ReadObjects(values),
            Functions = [.. Pairs(values, "Functions").Select(static p => new PatchFunction(p.First, p.Second))],
            Replace = Properties.YesNo(values.GetValueOrDefault("Replace")),
            StackOrder = values.GetValueOrDefault("StackOrder") is int and >= 0 and var order ? order : null,
            LoadedSince = values.Moment("LoadedSinceUsec"),
            StateSince = values.Moment("StateSinceUsec"),
            RetryAt = values.Moment("RetryAtUsec"),
            SoakUntil = values.Moment("SoakUntilUsec"),
            Attempts = values.Number("Attempts"),
            LastError = values.Text("LastError"),
        };

    private static List<PatchObject> ReadObjects(Dictionary<string, object> values)
    {
        var states = Pairs(values, "ObjectStates").ToDictionary(static p => p.First, static p => p.Second, StringComparer.Ordinal);
        return [.. Pairs(values, "Objects").Select(p => new PatchObject(p.First, Properties.YesNo(p.Second), states.GetValueOrDefault(p.First) ?? ObjectStanding.Unknown.Word()))];
    }

    private static IEnumerable<(string First, string Second)> Pairs(Dictionary<string, object> values, string name) =>
        values.Structs(name).Where(static s => s is [string, string]).Select(static s => ((string)s[0], (string)s[1]));
}
