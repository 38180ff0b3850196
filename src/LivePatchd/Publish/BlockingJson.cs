// Who blocks the running transition, as the JSON document of the contract.
using System.Buffers;
using System.Text;
using System.Text.Json;
using LivePatchd.Core.Model;

namespace LivePatchd.Publish;

internal static class BlockingJson
{
    /// <param name="view">Null when no transition runs.</param>
    /// <param name="tasks">With which task and whose it is, also of other users.</param>
    public static string Write(BlockingView? view, Instant now, bool tasks)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("schema", 1);
            Transition(json, view, now);
            var report = view?.Report;
            if (report is null)
                json.WriteNull("seen_at");
            else
                json.WriteString("seen_at", report.At.Wall);
            Count("tasks_total", report?.Total);
            Count("tasks_switched", report?.Switched);
            Count("pending", report?.Pending);
            Count("unreadable", report?.Unreadable);
            json.WriteString("token", view?.Token);
            json.WriteStartArray("blockers");
            foreach (var blocker in report?.Blockers ?? [])
                Write(json, tasks ? blocker : blocker.ForEverybody);
            json.WriteEndArray();
            json.WriteStartArray("units");
            foreach (var unit in report?.ByUnit() ?? [])
            {
                json.WriteStartObject();
                json.WriteString("name", unit.Name);
                json.WriteNumber("tasks", unit.Tasks);
                if (unit.LongestBlocked is { } longest)
                    Seconds(json, "longest_blocked_seconds", longest);
                else
                    json.WriteNull("longest_blocked_seconds");
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();

            void Count(string name, int? count)
            {
                if (count is { } known)
                    json.WriteNumber(name, known);
                else
                    json.WriteNull(name);
            }
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private static void Transition(Utf8JsonWriter json, BlockingView? view, Instant now)
    {
        if (view is null)
        {
            json.WriteNull("transition");
            return;
        }
        json.WriteStartObject("transition");
        json.WriteString("patch", view.Patch.Value);
        json.WriteString("direction", view.Enabling ? "enable" : "disable");
        json.WriteString("since", view.Since.Wall);
        Seconds(json, "age_seconds", now.Since(view.Since));
        json.WriteBoolean("overdue", view.Overdue);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Blocker blocker)
    {
        json.WriteStartObject();
        json.WriteNumber("pid", blocker.Task.Pid);
        json.WriteNumber("tid", blocker.Task.Tid);
        json.WriteString("comm", blocker.Comm);
        json.WriteString("state", blocker.State.ToString());
        json.WriteString("unit", blocker.Owner);
        if (blocker.Uid is { } uid)
            json.WriteNumber("uid", uid);
        else
            json.WriteNull("uid");
        Seconds(json, "blocked_seconds", blocker.BlockedFor);
        json.WriteNumber("attempts", blocker.AttemptsBlocked);
        json.WriteBoolean("stack_readable", blocker.StackReadable);
        json.WriteString("function", blocker.PatchedFunction);
        json.WriteBoolean("kernel_thread", blocker.Kthread);
        json.WriteBoolean("own", blocker.Own);
        json.WriteBoolean("never_completes", blocker.NeverCompletes);
        json.WriteEndObject();
    }

    private static void Seconds(Utf8JsonWriter json, string name, TimeSpan span) =>
        json.WriteNumber(name, Math.Round(Math.Max(0, span.TotalSeconds), 1));
}
