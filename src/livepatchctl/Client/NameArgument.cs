// What a person types for a patch: its name, in either spelling, or a file.
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Client;

internal static class NameArgument
{
    /// <summary>A module name holds neither a dot nor a slash, so the two never mix.</summary>
    public static bool IsFile(string argument) => argument.AsSpan().IndexOfAny('.', '/') >= 0;

    /// <summary>The kernel's spelling, with '_' for '-'; a text that is no module name stays as it is, and the daemon will not know it.</summary>
    public static string Canonical(string argument) => PatchName.TryParse(argument)?.Value ?? argument;
}
