// The lines that --check-config prints: errors as `file:line: key: message`, warnings marked as such.
namespace LivePatchd.Core.Config;

public static class ConfigReport
{
    public static IEnumerable<string> Lines(ConfigResult result)
    {
        foreach (var error in result.Errors)
            yield return error.ToString();
        foreach (var warning in result.Warnings)
            yield return $"{warning.File}:{warning.Line}: {(warning.Key.Length == 0 ? "-" : warning.Key)}: warning: {warning.Message}";
    }
}
