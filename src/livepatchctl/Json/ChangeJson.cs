// One change of a patch's state as JSON, a line of `watch --json`.
using System.Text.Json;
using LivePatchd.Ctl.Watching;

namespace LivePatchd.Ctl.Json;

internal static class ChangeJson
{
    public static void Members(Utf8JsonWriter json, Change change)
    {
        json.Moment("time", change.Time);
        json.WriteString("patch", change.Patch);
        json.WriteString("state", change.State);
        json.WriteString("reason", change.Reason);
    }
}
