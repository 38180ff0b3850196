// The bundle of Diagnose as one JSON document: how the daemon is configured, what it shows, what it wrote down.
using System.Buffers;
using System.Globalization;
using System.Text.Json;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Publish;

internal static class DiagnosisJson
{
    private static readonly JsonWriterOptions ForPeopleToo = new() { Indented = true };

    public static void Write(IBufferWriter<byte> to, Diagnosis diagnosis)
    {
        using var writer = new Utf8JsonWriter(to, ForPeopleToo);
        var json = new RedactedJson(writer);
        json.Object(null, () =>
        {
            json.Number("schema", 1);
            json.Time("made_at", diagnosis.MadeAt);
            json.Object("daemon", () => Daemon(json, diagnosis.Shown));
            json.Object("config", () => Config(json, diagnosis));
            json.Objects("patches", diagnosis.Shown.Patches, p => Patch(json, p));
            json.Objects("holds", diagnosis.Shown.Holds, h =>
            {
                json.Text("patch", h.Patch.Value);
                json.Text("reason", h.Reason.Word());
                json.Time("retry_at", h.RetryAt);
            });
            json.Objects("refused_files", diagnosis.Shown.Refused, r =>
            {
                json.Text("file", r.Path);
                json.Text("reason", r.Reason.Word());
                json.Text("detail", r.Detail);
            });
            json.Objects("jobs", diagnosis.Shown.Jobs, j =>
            {
                json.Number("id", j.Id);
                json.Text("kind", j.Kind);
                json.Text("patch", j.Patch.Value);
                json.Text("state", j.State);
                json.Text("result", j.Result);
            });
            json.Object("gates", () => Gates(json, diagnosis.Shown.Gates));
            json.Object("journal", () =>
            {
                json.Text("error", Error(diagnosis.JournalRead));
                json.Number("unreadable", diagnosis.Journal.Unreadable);
                json.Objects("records", diagnosis.Journal.Records, r => Record(json, r));
            });
            json.Object("kernel", () => KernelSurveyJson.Write(json, diagnosis.Kernel));
            json.Object("kernel_log", () =>
            {
                json.Text("error", Error(diagnosis.Log.WithoutValue));
                json.Lines("lines", diagnosis.Log.IsOk ? diagnosis.Log.Value.Select(Line) : []);
            });
        });
    }

    private static string? Error(SysResult result) => result.IsOk ? null : result.ToString();

    private static string Line(KernelLogRecord r) =>
        string.Create(CultureInfo.InvariantCulture, $"<{r.Priority}>[{r.Timestamp.TotalSeconds,12:F6}] {r.Message}");

    private static void Daemon(RedactedJson json, DaemonSnapshot shown)
    {
        var host = shown.Host;
        json.Time("looked_at", shown.At.Wall);
        json.Text("version", host.Version);
        json.Text("kernel_release", host.KernelRelease);
        json.Text("mode", host.Mode);
        json.Text("state", host.State);
        json.Text("reason", host.Reason?.Word());
        json.Text("transition_patch", host.TransitionPatch?.Value);
        json.Time("transition_since", host.TransitionSince);
        json.Time("next_attempt", host.NextAttempt);
    }

    private static void Config(RedactedJson json, Diagnosis diagnosis)
    {
        json.Number("generation", diagnosis.Shown.Host.ConfigGeneration);
        json.Lines("errors", diagnosis.Shown.Host.ConfigErrors);
        json.Lines("not_in_force", diagnosis.Shown.Host.NotInForce);
        json.Objects("keys", diagnosis.Config, k => Key(json, k));
    }

    private static void Key(RedactedJson json, ConfigOrigin key)
    {
        json.Text("name", key.Key);
        json.Text("value", Redaction.Names(key.Key) ? Redaction.Mask : key.Value);
        json.Text("from", key.File is { } file ? string.Create(CultureInfo.InvariantCulture, $"{file}:{key.Line}") : "default");
    }

    private static void Patch(RedactedJson json, PatchView patch)
    {
        json.Text("name", patch.Name.Value);
        json.Text("state", patch.State.Word());
        json.Text("reason", patch.Reason?.Word());
        json.Text("detail", patch.Detail);
        json.Text("grade", patch.Grade?.Word());
        json.Text("sha256", patch.Digest?.Hex);
        json.Text("build_id", patch.BuildId?.Hex);
        json.Text("identity", patch.Identity);
        json.Text("kernel_release", patch.KernelRelease);
        json.Text("origin", patch.Origin);
        json.Text("file", patch.File);
        json.Text("version", patch.Version);
        json.Time("loaded_since", patch.LoadedSince);
        json.Time("state_since", patch.StateSince);
        json.Time("retry_at", patch.RetryAt);
        json.Time("soak_until", patch.SoakUntil);
        json.Number("attempts", patch.Attempts);
        json.Text("last_error", patch.LastError);
    }

    private static void Gates(RedactedJson json, GatesView gates)
    {
        json.Text("reason", gates.Reason?.Word());
        json.Text("detail", gates.Detail);
        json.Time("retry_at", gates.RetryAt);
        json.Text("hold", gates.Hold?.Why);
        json.Time("hold_until", gates.Hold?.Until?.Wall);
        json.Objects("inhibitors", gates.Inhibitors, i =>
        {
            json.Text("who", i.Who);
            json.Text("why", i.Why);
            json.Number("uid", i.Uid);
            json.Time("since", i.Since);
        });
        json.Objects("gates", gates.Gates, g =>
        {
            json.Text("name", g.Gate.Word());
            json.Flag("open", g.Open);
            json.Flag("available", g.Available);
            json.Figure("value", g.Value);
            json.Figure("close_at", g.CloseAt);
            json.Figure("open_below", g.OpenBelow);
            json.Text("reason", g.Reason?.Word());
            json.Text("detail", g.Detail);
        });
    }

    private static void Record(RedactedJson json, JournalRecord record)
    {
        json.Time("at", record.At.Wall);
        json.Text("boot", record.BootId);
        json.Text("kind", record.Kind.Word());
        json.Text("patch", record.Name.Value);
        json.Text("sha256", record.Digest?.Hex);
        json.Text("reason", record.Reason?.Word());
        json.Text("errno", record.Errno is Errno.None ? null : record.Errno.ToString());
        json.Text("detail", record.Detail);
        json.Text("by", record.By?.Value);
        json.Text("file", record.Path);
    }
}
