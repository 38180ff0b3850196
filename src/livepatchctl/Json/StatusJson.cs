// The daemon's status as JSON.
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Json;

internal static class StatusJson
{
    public static void Members(this FileRefusal file, Utf8JsonWriter json)
    {
        json.WriteString("file", file.Path);
        json.WriteString("reason", file.Reason);
        json.WriteString("detail", file.Detail.Length > 0 ? file.Detail : null);
    }

    public static void Conditions(Utf8JsonWriter json, IEnumerable<ConditionFacts> conditions) => json.Objects("conditions", conditions, condition =>
    {
        json.WriteString("reason", condition.Reason);
        json.WriteString("detail", condition.Detail);
    });

    public static void Members(this Hold hold, Utf8JsonWriter json)
    {
        json.WriteString("patch", hold.Patch);
        json.WriteString("reason", hold.Reason);
        json.Moment("retry_at", hold.RetryAt);
    }

    public static void Members(Utf8JsonWriter json, HostFacts host, IReadOnlyList<PatchFacts> patches, DateTimeOffset now)
    {
        json.WriteString("version", host.Version);
        json.WriteString("kernel_release", host.KernelRelease);
        json.WriteString("mode", host.Mode);
        json.WriteString("state", host.State);
        json.WriteString("reason", host.Reason);
        if (host.Transition is { } transition)
        {
            json.WriteStartObject("transition");
            json.WriteString("patch", transition.Patch);
            json.Moment("since", transition.Since);
            json.OptionalNumber("age_seconds", transition.Since is { } since ? Math.Max(0, (long)(now - since).TotalSeconds) : null);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("transition");
        }
        json.WriteStartObject("counts");
        foreach (var state in Enum.GetValues<PatchState>())
            json.WriteNumber(state.Word(), patches.Count(p => p.KnownState == state));
        json.WriteEndObject();
        Conditions(json, host.Conditions);
        json.Objects("holds", host.Holds, hold => hold.Members(json));
        json.Objects("refused_files", host.StrayFiles(patches), file => file.Members(json));
        json.Moment("next_attempt", host.NextAttempt);
        json.WriteNumber("config_generation", host.ConfigGeneration);
        json.Strings("config_errors", host.ConfigErrors);
        json.Strings("not_in_force", host.NotInForce);
        json.WriteNumber("tainted", host.Tainted);
    }
}
