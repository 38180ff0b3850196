// The gates as JSON.
using System.Text.Json;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Json;

internal static class GatesJson
{
    public static void Members(Utf8JsonWriter json, GateBoardFacts board, IEnumerable<GateFacts> gates, IEnumerable<Hold> waiting)
    {
        json.WriteBoolean("open", board.Open);
        json.WriteString("reason", board.Reason);
        json.Moment("retry_at", board.RetryAt);
        json.Objects("gates", gates, gate =>
        {
            json.WriteString("name", gate.Name);
            json.WriteBoolean("open", gate.Open);
            json.WriteBoolean("available", gate.Available);
            json.OptionalNumber("value", gate.Value);
            json.OptionalNumber("close_at", gate.CloseAt);
            json.OptionalNumber("open_below", gate.OpenBelow);
            json.WriteString("unit", gate.Unit);
            json.Moment("since", gate.Since);
            json.Moment("opens_at", gate.OpensAt);
            json.WriteString("detail", gate.Detail);
            json.WriteString("reason", gate.Reason);
        });
        json.Objects("waiting", waiting, hold => hold.Members(json));
        if (board.Hold is { } held)
        {
            json.WriteStartObject("hold");
            json.WriteString("why", held.Why);
            json.Moment("since", held.Since);
            json.Moment("until", held.Until);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("hold");
        }
        json.Objects("inhibitors", board.Inhibitors, inhibitor =>
        {
            json.WriteString("who", inhibitor.Who);
            json.WriteString("why", inhibitor.Why);
            json.WriteNumber("uid", inhibitor.Uid);
            json.Moment("since", inhibitor.Since);
        });
    }
}
