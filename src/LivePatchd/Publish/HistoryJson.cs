// The history as the JSON document of the contract: of one patch, or of all.
using System.Buffers;
using System.Text;
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;

namespace LivePatchd.Publish;

internal static class HistoryJson
{
    public static string Write(IEnumerable<HistoryEntry> entries, PatchName? only)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            ImpactJson.WriteHistory(json, (only is { } name ? entries.Where(e => e.Patch == name) : entries)
                .Select(static e => e.Detail is { } detail ? e with { Detail = PublicDetail.Of(e.Why, detail) } : e));
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
