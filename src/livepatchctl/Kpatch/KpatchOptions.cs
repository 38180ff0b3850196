// The arguments of `install` and `uninstall`, read as getopt(1) reads them: options anywhere, abbreviated or joined to their value.
namespace LivePatchd.Ctl.Kpatch;

/// <param name="Release">Null when no kernel is named.</param>
/// <param name="Module">The first operand, which is the only one that counts; empty when there is none.</param>
/// <param name="Problem">In getopt's words; null when there is none.</param>
internal sealed record KpatchOptions(string? Release, string Module, string? Problem)
{
    private const string Long = "kernel-version";

    public static KpatchOptions Parse(IReadOnlyList<string> arguments)
    {
        string? release = null;
        var operands = new List<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (argument == "--")
            {
                operands.AddRange(arguments.Skip(i + 1));
                break;
            }
            if (argument.Length < 2 || argument[0] != '-')
            {
                operands.Add(argument);
                continue;
            }
            var (value, problem) = Value(argument);
            if (problem is not null)
                return new KpatchOptions(null, "", problem);
            if (value is null && ++i == arguments.Count)
                return new KpatchOptions(null, "", argument[1] == '-' ? $"option '--{Long}' requires an argument" : "option requires an argument -- 'k'");
            release = value ?? arguments[i];
        }
        return new KpatchOptions(release, operands.FirstOrDefault() ?? "", null);
    }

    /// <summary>The value that is joined to the option; null when it is the next argument.</summary>
    private static (string? Value, string? Problem) Value(string option)
    {
        if (option[1] != '-')
            return option[1] == 'k' ? (option.Length > 2 ? option[2..] : null, null) : (null, $"invalid option -- '{option[1]}'");
        var parts = option[2..].Split('=', 2);
        return parts[0].Length == 0 || !Long.StartsWith(parts[0], StringComparison.Ordinal) ? (null, $"unrecognized option '{option}'")
            : (parts.Length > 1 ? parts[1] : null, null);
    }
}
