// The daemon's report of who blocks the running transition, checked before it is shown.
using System.Text.Json;
using LivePatchd.Ctl.Json;

namespace LivePatchd.Ctl.Client;

/// <param name="Function">Null when it is in none of the changed functions, or its stack was not shown.</param>
internal sealed record BlockerFacts(
    int Pid, int Tid, string Comm, string State, string? Unit, uint? Uid, TimeSpan Blocked, int Attempts, bool StackReadable, string? Function, bool KernelThread, bool Own, bool NeverCompletes);

/// <param name="LongestBlocked">Null when none of its tasks is listed.</param>
internal sealed record BlockingUnitFacts(string Name, int Tasks, TimeSpan? LongestBlocked);

/// <param name="Pending">Null while no pass over the tasks has ended, like the other counts.</param>
internal sealed record BlockingFacts(
    string Patch, bool Enabling, TimeSpan Age, int? Total, int? Switched, int? Pending, int? Unreadable, string? Token,
    IReadOnlyList<BlockerFacts> Blockers, IReadOnlyList<BlockingUnitFacts> Units);

/// <param name="Text">As the daemon gave it, on one line.</param>
/// <param name="Running">Null when no transition runs.</param>
internal sealed record BlockingDocument(string Text, BlockingFacts? Running)
{
    /// <summary>A transition runs, and the daemon has not looked at its tasks yet.</summary>
    public bool IsTooEarly => Running is { Total: null };

    /// <summary>Null when the document is not of the shape that the contract fixes.</summary>
    public static BlockingDocument? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            if (root.GetProperty("schema").GetInt32() != JsonOut.Schema)
                return null;
            return new BlockingDocument(text, root.GetProperty("transition") is { ValueKind: JsonValueKind.Object } transition ? Read(root, transition) : null);
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    private static BlockingFacts Read(JsonElement root, JsonElement transition) => new(
        Required(transition, "patch"),
        Required(transition, "direction") == "enable",
        Seconds(transition, "age_seconds"),
        Count(root, "tasks_total"),
        Count(root, "tasks_switched"),
        Count(root, "pending"),
        Count(root, "unreadable"),
        root.GetProperty("token").GetString(),
        [.. root.GetProperty("blockers").EnumerateArray().Select(static b => new BlockerFacts(
            b.GetProperty("pid").GetInt32(), b.GetProperty("tid").GetInt32(), Required(b, "comm"), Required(b, "state"), b.GetProperty("unit").GetString(),
            b.GetProperty("uid") is { ValueKind: JsonValueKind.Number } uid ? uid.GetUInt32() : null, Seconds(b, "blocked_seconds"),
            b.GetProperty("attempts").GetInt32(), b.GetProperty("stack_readable").GetBoolean(), b.GetProperty("function").GetString(),
            b.GetProperty("kernel_thread").GetBoolean(), b.GetProperty("own").GetBoolean(), b.GetProperty("never_completes").GetBoolean()))],
        [.. root.GetProperty("units").EnumerateArray().Select(static u =>
            new BlockingUnitFacts(Required(u, "name"), u.GetProperty("tasks").GetInt32(),
                u.GetProperty("longest_blocked_seconds").ValueKind is JsonValueKind.Null ? null : Seconds(u, "longest_blocked_seconds")))]);

    private static string Required(JsonElement element, string name) => element.GetProperty(name).GetString() ?? throw new FormatException(name);

    private static int? Count(JsonElement element, string name) =>
        element.GetProperty(name) is { ValueKind: not JsonValueKind.Null } count ? count.GetInt32() : null;

    private static TimeSpan Seconds(JsonElement element, string name) => TimeSpan.FromSeconds(element.GetProperty(name).GetDouble());
}
