// What every verb of the kpatch shim works with: the host's files, the bus, and kpatch's two ways of speaking.
using LivePatchd.Bus;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Kpatch;

/// <param name="root">In front of every path; empty but in tests.</param>
internal sealed class KpatchHost(Terminal terminal, BusAddress address, string root)
{
    public const string InstallDirectory = "/var/lib/kpatch";
    public const string ReleaseFile = "/proc/sys/kernel/osrelease";

    public Terminal Terminal => terminal;

    public Session Session { get; } = new(terminal, TimeProvider.System, address);

    /// <summary>Of the running kernel; empty when it cannot be read.</summary>
    public string Release { get; } = ReadRelease(root);

    public string On(string path) => root + path;

    /// <summary>The directory of one kernel, with the root in front.</summary>
    public string DirectoryOf(string release) => On($"{InstallDirectory}/{release}");

    /// <summary>The path as the daemon knows it.</summary>
    public string Bare(string path) => root.Length > 0 && path.StartsWith(root, StringComparison.Ordinal) ? path[root.Length..] : path;

    public static bool IsInstalled(string barePath) => barePath.StartsWith(InstallDirectory + "/", StringComparison.Ordinal);

    /// <summary>Shown at once: a wait may follow.</summary>
    public void Say(string line)
    {
        terminal.Out.WriteLine(TextOf.Clean(line));
        terminal.Out.Flush();
    }

    public void Warn(string line)
    {
        terminal.Out.Flush();
        terminal.Error.WriteLine(TextOf.Clean($"kpatch: {line}"));
    }

    public int Die(string line)
    {
        Warn(line);
        return ExitCode.Failed;
    }

    public int Die(BusError error) => Die(Words(error));

    public int Die(string what, BusError error) => Die($"{what}: {Words(error)}");

    /// <summary>Why, and what to do next.</summary>
    private static string Words(BusError error)
    {
        var failure = Failure.Of(error);
        // An argument that the daemon does not take is the file, or the name, itself.
        var next = failure is { ExitCode: ExitCode.Usage, Reason: null } ? StageCommand.NotAcceptable : failure.Next;
        return $"{TextOf.WithoutStop(failure.Why)}; {TextOf.WithoutStop(next)}";
    }

    private static string ReadRelease(string root)
    {
        try
        {
            return File.ReadAllText(root + ReleaseFile).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
