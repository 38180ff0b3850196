// The kernel's part of the bundle of Diagnose.
using LivePatchd.Linux.Kernel;

namespace LivePatchd.Publish;

internal static class KernelSurveyJson
{
    public static void Write(RedactedJson json, KernelSurvey survey)
    {
        var facts = survey.Facts;
        json.Text("release", facts.Release);
        json.Text("version", survey.Version);
        json.Text("boot", facts.BootId);
        json.Text("command_line", survey.CommandLine);
        json.Number("tainted", facts.Tainted);
        json.Flag("livepatch_present", facts.LivepatchPresent);
        json.Flag("can_load_modules", facts.CanLoadModules);
        json.Flag("ftrace_enabled", facts.FtraceEnabled);
        json.Flag("signature_enforced", facts.SignatureEnforced);
        json.Text("lockdown", survey.Lockdown);
        json.Flag("modules_disabled", facts.ModulesDisabled);
        json.Number("oops_count", facts.OopsCount);
        json.Number("warn_count", facts.WarnCount);
        json.Flag("cut", survey.Cut);
        json.Lines("livepatch_tree", survey.Tree);
        json.Objects("livepatch_modules", survey.Modules, m =>
        {
            json.Text("name", m.Name);
            json.Text("state", m.State);
            json.Text("refcount", m.RefCount);
            json.Text("taint", m.Taint);
            json.Text("source_version", m.SourceVersion);
        });
    }
}
