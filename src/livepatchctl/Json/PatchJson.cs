// A patch as JSON; null where the daemon knows nothing.
using System.Text.Json;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Json;

internal static class PatchJson
{
    public static void Members(Utf8JsonWriter json, PatchFacts patch)
    {
        json.WriteString("name", patch.Name);
        json.WriteString("state", patch.State);
        json.WriteString("reason", patch.Reason);
        json.WriteString("detail", patch.Detail);
        json.WriteString("grade", patch.Grade);
        json.WriteString("sha256", patch.Sha256);
        json.WriteString("build_id", patch.BuildId);
        json.WriteString("identity", patch.Identity);
        json.WriteString("kernel_release", patch.KernelRelease);
        json.WriteString("origin", patch.Origin);
        json.WriteString("file", patch.File);
        json.WriteString("version", patch.Version);
        json.WriteString("signer", patch.Signer);
        json.WriteString("signature", patch.Signature);
        json.Strings("manifest_ignored", patch.ManifestIgnored);
        json.Strings("cves", patch.Cves);
        json.Objects("objects", patch.Objects, o =>
        {
            json.WriteString("name", o.Name);
            json.OptionalBool("patched", o.Patched);
            json.WriteString("state", o.State);
        });
        json.Objects("functions", patch.Functions, f =>
        {
            json.WriteString("object", f.Object);
            json.WriteString("name", f.Name);
        });
        json.OptionalBool("replace", patch.Replace);
        json.OptionalNumber("stack_order", patch.StackOrder);
        json.Moment("loaded_since", patch.LoadedSince);
        json.Moment("state_since", patch.StateSince);
        json.Moment("retry_at", patch.RetryAt);
        json.Moment("soak_until", patch.SoakUntil);
        json.WriteNumber("attempts", patch.Attempts);
        json.WriteString("last_error", patch.LastError);
    }
}
