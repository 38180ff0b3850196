// The plan as the JSON document of the contract.
using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Publish;

internal static class PlanJson
{
    /// <param name="conditions">What is not as usual on the host.</param>
    public static string Write(Plan plan, ImmutableArray<PatchPrediction> patches, ImmutableArray<HostCondition> conditions = default)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("schema", 1);
            json.WriteStartArray("steps");
            foreach (var step in plan.Steps)
            {
                json.WriteStartObject();
                json.WriteString("action", step.Action);
                json.WriteString("patch", step.Name.Value);
                json.WriteString("sha256", step.DigestOrNull?.Hex);
                json.WriteString("reason", step.WhyOrNull?.Word());
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("holds");
            foreach (var hold in plan.Holds)
            {
                json.WriteStartObject();
                json.WriteString("patch", hold.Name.Value);
                json.WriteString("reason", hold.Reason.Word());
                if (hold.RetryAt is { } at)
                    json.WriteString("retry_at", at.Wall);
                else
                    json.WriteNull("retry_at");
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("patches");
            foreach (var patch in patches)
                Write(json, patch);
            json.WriteEndArray();
            json.WriteStartArray("conditions");
            foreach (var condition in conditions.IsDefault ? [] : conditions)
            {
                json.WriteStartObject();
                json.WriteString("reason", condition.Reason.Word());
                json.WriteString("detail", condition.Detail);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, PatchPrediction patch)
    {
        json.WriteStartObject();
        json.WriteString("patch", patch.Name?.Value);
        json.WriteString("file", patch.Path);
        json.WriteString("sha256", patch.Digest?.Hex);
        json.WriteString("outcome", patch.Outcome.Word());
        json.WriteString("reason", patch.Reason?.Word());
        json.WriteString("detail", patch.Detail is { } detail ? PublicDetail.Of(patch.Reason, detail) : null);
        json.WriteString("errno", patch.KernelAnswer?.ToString());
        json.WriteStartArray("notes");
        foreach (var note in patch.Notes)
        {
            json.WriteStartObject();
            json.WriteString("kind", note.Kind.Word());
            json.WriteString("text", note.Text);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
