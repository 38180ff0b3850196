// `install`: puts a module where it is loaded at boot, for one kernel; it loads nothing.
using LivePatchd.Ctl.Files;

namespace LivePatchd.Ctl.Kpatch;

internal static class KpatchInstall
{
    private const string Unit = "kpatch.service";
    private static readonly string[] UnitDirectories = ["/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

    public static int Run(KpatchHost host, IReadOnlyList<string> arguments)
    {
        if (!TryRead(host, arguments, out var release, out var module))
            return ExitCode.Failed;
        if (!Path.Exists(module))
            return host.Die($"{module} doesn't exist");
        if (!module.EndsWith(".ko", StringComparison.Ordinal))
            return host.Die($"{module} isn't a .ko file");
        if (KpatchFile.Read(module, out var why) is not { } file)
            return host.Die($"modinfo failed: {why}");
        if (file.Contents is not { } contents)
            return host.Die($"modinfo failed: {module} is compressed; decompress it first ({Compressed.Kind(file.Bytes)!.Value.Command})");
        if (contents.Info.KernelRelease != release)
            return host.Die($"invalid module version {contents.Info.KernelRelease} for kernel {release}");
        var fileName = Path.GetFileName(module);
        var directory = host.DirectoryOf(release);
        if (Path.Exists(Path.Join(directory, fileName)))
            return host.Die($"{module} is already installed");

        host.Say($"installing {module} ({release})");
        if (AtomicInstall.MakeDirectory(directory) is { } noDirectory)
            return host.Die($"failed to create install directory: {noDirectory}");
        return AtomicInstall.Write(directory, fileName, file.Bytes) is { } failed
            ? host.Die($"failed to install module {module}: {failed}")
            : EnableService(host);
    }

    /// <summary>False when the arguments make no sense, which has been said.</summary>
    public static bool TryRead(KpatchHost host, IReadOnlyList<string> arguments, out string release, out string module)
    {
        var options = KpatchOptions.Parse(arguments);
        (release, module) = (options.Release ?? host.Release, options.Module);
        if (options.Problem is { } problem)
        {
            host.Terminal.Error.WriteLine(Output.TextOf.Clean($"getopt: {problem}"));
            host.Warn("getopt failed");
            return false;
        }
        if (module.Length == 0)
            host.Warn("no module file specified");
        // It becomes a directory's name.
        else if (release is "" or "." or ".." || release.Contains('/', StringComparison.Ordinal))
            host.Warn($"invalid kernel version {release}");
        else
            return true;
        return false;
    }

    // systemctl does it where no systemd runs too, as in the building of an image; its exit code is then ours, as with kpatch.
    private static int EnableService(KpatchHost host)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        if (!UnitDirectories.Any(d => File.Exists(host.On($"{d}/{Unit}"))) || !path.Any(static d => File.Exists(Path.Join(d, "systemctl"))))
            return ExitCode.Ok;
        host.Terminal.Out.Flush();
        return host.Die($"systemctl cannot be started ({Exec.Become(["systemctl", "enable", Unit])})");
    }
}
