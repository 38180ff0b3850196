// The lines that people are shown of a configuration: its errors and warnings, and all that is in force with where it was set.
namespace LivePatchd.Core.Config;

public static class ConfigReport
{
    /// <summary>Errors as `file:line: key: message`, then warnings marked as such.</summary>
    public static IEnumerable<string> Lines(ConfigResult result)
    {
        foreach (var error in result.Errors)
            yield return error.ToString();
        foreach (var warning in result.Warnings)
            yield return $"{warning.File}:{warning.Line}: {(warning.Key.Length == 0 ? "-" : warning.Key)}: warning: {warning.Message}";
    }

    /// <summary>
    /// Every key as `key: value`, below a comment that names its file, the weakest file first and the defaults at the end.
    /// Keys are written with their path (`gates.settle`), so this is to be read and not to be loaded.
    /// </summary>
    public static IEnumerable<string> Cat(ConfigResult result)
    {
        var first = true;
        foreach (var file in result.Origins.GroupBy(static o => o.File).OrderBy(static g => g.Key is null))
        {
            if (!first)
                yield return "";
            first = false;
            yield return $"# {file.Key ?? "defaults"}";
            foreach (var origin in file)
                yield return $"{origin.Key}: {origin.Value}{(file.Key is null ? "" : $"  # line {origin.Line}")}";
        }
    }
}
