// `uninstall`: takes a module from where it is loaded at boot; the kernel is not touched, but the daemon's own copy of what is not loaded goes too.
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Kpatch;

internal static class KpatchUninstall
{
    public static int Run(KpatchHost host, IReadOnlyList<string> arguments)
    {
        if (!KpatchInstall.TryRead(host, arguments, out var release, out var module))
            return ExitCode.Failed;
        if (module != Path.GetFileName(module))
            return host.Die("please supply patch module name without path");
        var directory = host.DirectoryOf(release);
        var path = Path.Join(directory, module);
        if (!File.Exists(path))
            path = KpatchModules.Installed(host, release).FirstOrDefault(file => KpatchModules.NameOf(file) == KpatchModules.NameOf(module));
        if (path is null)
            return host.Die($"{module} is not installed for kernel {release}");

        host.Say($"uninstalling {module} ({release})");
        var file = KpatchFile.Read(path, out _);
        try
        {
            File.Delete(path);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return host.Die($"failed to uninstall module {module}: {refused.Message}");
        }
        if (AtomicInstall.Sync(directory) is { } unsynced)
            return host.Die($"failed to uninstall module {module}: {unsynced}");
        if (Tidy(directory) is { } kept)
            return host.Die($"failed to remove directory {directory}: {kept}");
        if (file is not null && release == host.Release)
            ForgetCopy(host, file);
        return ExitCode.Ok;
    }

    // The directory above stays: it may be watched, and one that is gone says nothing, where an empty one says that nothing is wanted.
    private static string? Tidy(string directory)
    {
        try
        {
            if (!Directory.EnumerateFileSystemEntries(directory).Any())
                Directory.Delete(directory);
            return null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return refused.Message;
        }
    }

    /// <summary>
    /// What `load` handed over lies in the daemon's directory, and would be loaded at the next boot. Where nobody answers, nothing is asked: an
    /// image may be in the building.
    /// </summary>
    private static void ForgetCopy(KpatchHost host, KpatchFile file)
    {
        var daemon = host.Session.Connect();
        if (!daemon.IsOk)
            return;
        using var connection = daemon.Value;
        if (connection.Patch(file.Name).Value is not { File: { } copy } patch || patch.Sha256 != file.Sha256 || KpatchHost.IsInstalled(copy))
            return;
        if (InKernel.Is(patch) && !InKernel.IsReplaced(patch))
            host.Warn($"{patch.Name} stays loaded, and at every boot, by livepatchd's copy {copy}, until: livepatchctl unstage {patch.Name}");
        else if (connection.Unstage(patch.Name) is { IsOk: false, Error: var refused })
            host.Warn($"livepatchd keeps its copy {copy}: {Failure.Of(refused).Why}; livepatchctl unstage {patch.Name}");
    }
}
