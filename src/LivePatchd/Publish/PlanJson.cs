// The plan as the JSON document of the contract.
using System.Buffers;
using System.Text;
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;

namespace LivePatchd.Publish;

internal static class PlanJson
{
    public static string Write(Plan plan)
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
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
