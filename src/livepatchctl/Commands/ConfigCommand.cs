// `config cat` and `config check`: becomes the installed daemon's own reader, so that what is checked is what will be loaded.
using LivePatchd.Ctl.Files;

namespace LivePatchd.Ctl.Commands;

internal static class ConfigCommand
{
    /// <summary>By the word of the command line: the daemon's argument.</summary>
    public static IReadOnlyDictionary<string, string> Flags { get; } = new Dictionary<string, string> { ["cat"] = "--cat-config", ["check"] = "--check-config" };

    /// <summary>Beside this tool, whatever the prefix is that both were installed to.</summary>
    public static string InstalledDaemon { get; } = Path.GetFullPath(Path.Join(AppContext.BaseDirectory, "../libexec/livepatchd/livepatchd"));

    /// <returns>Only when the daemon's program cannot be run; its own exit code otherwise: 0, or 1 when there are errors.</returns>
    public static int Run(Session session, string action, bool asJson, string program, string? root)
    {
        session.Terminal.Out.Flush();
        var refused = Exec.Become([program, Flags[action], .. asJson ? ["--json"] : Array.Empty<string>(), .. root is null ? Array.Empty<string>() : ["--root", root]]);
        return session.Fail(ExitCode.Failed, $"config {action}", $"{program}: {refused}", "install livepatchd; the tool asks its program");
    }
}
