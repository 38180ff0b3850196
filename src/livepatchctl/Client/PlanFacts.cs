// The daemon's plan document, checked before it is shown.
using System.Text.Json;
using LivePatchd.Ctl.Json;

namespace LivePatchd.Ctl.Client;

internal sealed record PlannedStep(string Action, string Patch, string? Sha256, string? Reason);

internal sealed record PlanNote(string Kind, string Text);

/// <param name="Patch">Null for a file that is refused and has no name.</param>
/// <param name="Outcome">The daemon's word, so that a newer one's is shown and not lost.</param>
/// <param name="Errno">What the kernel would answer, by name.</param>
internal sealed record PlannedPatch(
    string? Patch, string? File, string? Sha256, string Outcome, string? Reason, string? Detail, string? Errno, IReadOnlyList<PlanNote> Notes);

/// <param name="Patches">Empty from a daemon that does not foresee yet.</param>
internal sealed record PlanFacts(IReadOnlyList<PlannedStep> Steps, IReadOnlyList<Hold> Holds, IReadOnlyList<PlannedPatch> Patches)
{
    /// <summary>What is not as usual on the host.</summary>
    public IReadOnlyList<ConditionFacts> Conditions { get; init; } = [];

    /// <summary>Null when the document is not of the shape that the contract fixes.</summary>
    public static PlanFacts? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            if (root.GetProperty("schema").GetInt32() != JsonOut.Schema)
                return null;
            return new PlanFacts(
                [.. root.GetProperty("steps").EnumerateArray().Select(static s => new PlannedStep(Required(s, "action"), Required(s, "patch"), Optional(s, "sha256"), Optional(s, "reason")))],
                [.. root.GetProperty("holds").EnumerateArray().Select(static h => new Hold(Required(h, "patch"), Required(h, "reason"), OptionalMoment(h, "retry_at")))],
                root.TryGetProperty("patches", out var patches) ? [.. patches.EnumerateArray().Select(Patch)] : [])
            {
                Conditions = root.TryGetProperty("conditions", out var conditions)
                    ? [.. conditions.EnumerateArray().Select(static c => new ConditionFacts(Required(c, "reason"), Required(c, "detail")))]
                    : [],
            };
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }

    private static PlannedPatch Patch(JsonElement p) => new(
        Optional(p, "patch"), Optional(p, "file"), Optional(p, "sha256"), Required(p, "outcome"), Optional(p, "reason"), Optional(p, "detail"), Optional(p, "errno"),
        [.. p.GetProperty("notes").EnumerateArray().Select(static n => new PlanNote(Required(n, "kind"), Required(n, "text")))]);

    private static string Required(JsonElement element, string name) =>
        element.GetProperty(name).GetString() ?? throw new FormatException(name);

    private static string? Optional(JsonElement element, string name) => element.GetProperty(name).GetString();

    private static DateTimeOffset? OptionalMoment(JsonElement element, string name) =>
        element.GetProperty(name) is { ValueKind: not JsonValueKind.Null } value ? value.GetDateTimeOffset() : null;
}
