// `check --cve --json`: one answer a CVE, in the document that `check` prints.
using System.Text.Json;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Json;

internal static class CheckJson
{
    public static void Members(Utf8JsonWriter json, HostFacts host, IReadOnlyList<CveAnswer> answers, int exitCode)
    {
        json.WriteString("result", Result(exitCode));
        json.WriteNumber("exit_code", exitCode);
        json.WriteString("kernel_release", host.KernelRelease);
        json.Objects("cves", answers, answer =>
        {
            json.WriteString("cve", answer.Cve);
            json.WriteString("status", Status(answer.Verdict));
            json.WriteNumber("exit_code", answer.ExitCode);
            json.WriteString("patch", answer.Patch?.Name);
            json.WriteString("version", answer.Patch?.Version);
            json.WriteString("sha256", answer.Patch?.Sha256);
            json.WriteString("build_id", answer.Patch?.BuildId);
            json.WriteString("state", answer.Patch?.State);
            json.WriteString("reason", answer.Patch?.Reason);
            json.Moment("since", answer.IsFixed ? answer.Patch?.LoadedSince : null);
            json.Moment("soak_until", answer.IsFixed ? answer.Patch?.SoakUntil : null);
            json.Strings("not_loaded", answer.IsFixed ? answer.Patch!.Objects.Where(static o => o.IsNotLoaded).Select(static o => o.Name) : []);
            json.WriteString("text", answer.Text);
        });
        PatchesAndFiles(json, [.. answers.Where(static a => a is { Patch: not null, ExitCode: not ExitCode.Ok }).Select(static a => a.Patch!).Distinct()], []);
    }

    public static void PatchesAndFiles(Utf8JsonWriter json, IEnumerable<PatchFacts> patches, IEnumerable<FileRefusal> files)
    {
        json.Objects("patches", patches, patch =>
        {
            json.WriteString("name", patch.Name);
            json.WriteString("state", patch.State);
            json.WriteString("reason", patch.Reason);
            json.WriteString("detail", patch.Detail);
        });
        json.Objects("files", files, file => file.Members(json));
    }

    private static string Status(CveVerdict verdict) => verdict switch
    {
        CveVerdict.Fixed => "fixed",
        CveVerdict.FixedWhereLoaded => "fixed-where-loaded",
        CveVerdict.NotFixed => "not-fixed",
        _ => "unknown",
    };

    private static string Result(int exitCode) => exitCode switch
    {
        ExitCode.Ok => "ok",
        ExitCode.CheckUnsupported => "unsupported",
        ExitCode.Refused => "refused",
        ExitCode.CheckPending => "pending",
        _ => "unknown",
    };
}
