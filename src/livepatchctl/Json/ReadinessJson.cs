// The readiness of the installed kernels as JSON; null where it cannot be known.
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Readiness;

namespace LivePatchd.Ctl.Json;

internal static class ReadinessJson
{
    public static void Members(Utf8JsonWriter json, ReadinessReport report, int exitCode)
    {
        json.WriteString("result", exitCode switch
        {
            ExitCode.Ok => "ready",
            ExitCode.CheckPending => "wanting",
            _ => "unknown",
        });
        json.WriteNumber("exit_code", exitCode);
        json.WriteString("running", report.Running);
        json.WriteString("daemon_state", report.Host?.State);
        json.Strings("directories", report.Directories);
        json.Objects("in_force", report.InForce, patch =>
        {
            json.WriteString("patch", patch.Name);
            json.WriteString("version", patch.Version);
            json.WriteString("state", patch.State);
            json.Strings("cves", patch.Cves);
        });
        json.Objects("kernels", report.Kernels, kernel => Kernel(json, kernel));
        json.Strings("unknown", report.Unknown);
    }

    private static void Kernel(Utf8JsonWriter json, KernelOutlook kernel)
    {
        json.WriteString("kernel_release", kernel.Release);
        json.WriteBoolean("running", kernel.IsRunning);
        json.Objects("files", kernel.Folder.Files, file =>
        {
            json.WriteString("file", file.Path);
            json.WriteString("patch", file.Name?.Value);
            json.WriteString("standing", PatchFile.Word(file.Standing));
            json.WriteString("reason", file.Reason?.Word());
            json.WriteString("detail", file.Detail);
            json.WriteString("sha256", file.Digest?.Hex);
            json.WriteString("version", file.Manifest?.Version);
            json.OptionalBool("cumulative", file.Cumulative);
            json.Strings("cves", file.Manifest?.Cves ?? []);
        });
        json.Strings("unreadable", kernel.Folder.Unreadable);
        OptionalStrings(json, "lost", kernel.Lost);
        OptionalStrings(json, "unsure", kernel.Unsure);
        OptionalStrings(json, "lost_patches", kernel.LostPatches);
        OptionalStrings(json, "unsure_patches", kernel.UnsurePatches);
    }

    private static void OptionalStrings(Utf8JsonWriter json, string name, IReadOnlyList<string>? values)
    {
        if (values is null)
            json.WriteNull(name);
        else
            json.Strings(name, values);
    }
}
