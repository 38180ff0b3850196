// `stage FILE` and `unstage NAME`: puts a file into the daemon's directory and takes one out; the file travels as a descriptor.
using System.Runtime.InteropServices;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Ctl.Commands;

internal static class StageCommand
{
    /// <summary>The next step when a file is refused and no reason has one of its own.</summary>
    public const string NotAcceptable = "check that it is a livepatch module for this kernel";

    private static readonly string[] Suffixes = [".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

    public static int Stage(Session session, string path)
    {
        var what = $"stage {path}";
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(what, daemon.Error);
        using var connection = daemon.Value;
        var exitCode = Send(session, connection, what, path, out var name);
        if (exitCode == ExitCode.Ok)
            session.Terminal.Out.WriteLine(TextOf.Clean($"{name}: staged"));
        return exitCode;
    }

    public static int Unstage(Session session, string argument)
    {
        var what = $"unstage {argument}";
        var name = NameArgument.Canonical(argument);
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(what, daemon.Error);
        using var connection = daemon.Value;
        var unstaged = connection.Unstage(name);
        if (!unstaged.IsOk)
            return session.Fail(what, unstaged.Error, name);
        session.Terminal.Out.WriteLine(TextOf.Clean($"{name}: taken out of the directory; what is loaded is reverted when its turn comes"));
        return ExitCode.Ok;
    }

    /// <summary>Opens the file as the caller, not as the daemon: nobody stages what he cannot read.</summary>
    public static int Send(Session session, Daemon daemon, string what, string path, out string name)
    {
        name = "";
        if (Open(path, out var why) is not { } file)
            return session.Fail(ExitCode.Failed, what, why, "check the path and its permissions");
        using (file)
        {
            var beside = OpenBeside(path, out var unread);
            using var closing = new Closing(beside);
            if (unread is { } fault)
                return session.Fail(ExitCode.Failed, what, fault, "check its permissions, or move it away");
            var staged = beside.Count == 0
                ? daemon.Stage(file, Path.GetFileName(path))
                : daemon.StageFiles([(file, Path.GetFileName(path)), .. beside]);
            if (staged.IsOk)
            {
                name = staged.Value;
                return ExitCode.Ok;
            }
            var failure = Failure.Of(staged.Error);
            // An invalid argument is the file itself here: it was refused.
            return failure.ExitCode == ExitCode.Usage
                ? session.Fail(ExitCode.Refused, what, failure.Why, failure.Reason is null ? NotAcceptable : failure.Next)
                : session.Fail(failure.ExitCode, what, failure.Why, failure.Next);
        }
    }

    /// <summary>The manifest beside the file and its signature: they say what the file fixes and who says so, and travel with it.</summary>
    private static List<(SafeHandle File, string Name)> OpenBeside(string path, out string? unread)
    {
        unread = null;
        var beside = new List<(SafeHandle, string)>();
        var name = Path.GetFileName(path);
        if (Suffixes.FirstOrDefault(s => name.Length > s.Length && name.EndsWith(s, StringComparison.Ordinal)) is not { } suffix)
            return beside;
        var manifest = name[..^suffix.Length] + ".yaml";
        foreach (var one in new[] { manifest, manifest + ".p7s" })
        {
            var full = Path.Combine(Path.GetDirectoryName(path) ?? "", one);
            if (!File.Exists(full))
                break;
            if (Open(full, out var why) is not { } file)
            {
                unread = $"{one}: {why}";
                break;
            }
            beside.Add((file, one));
        }
        return beside;
    }

    private sealed class Closing(List<(SafeHandle File, string Name)> files) : IDisposable
    {
        public void Dispose() => files.ForEach(static f => f.File.Dispose());
    }

    public static SafeFileHandle? Open(string path, out string why)
    {
        why = "";
        try
        {
            if (Directory.Exists(path))
            {
                why = "is a directory";
                return null;
            }
            // Any sharing: another would take a lock on the file.
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or ArgumentException)
        {
            why = refused switch
            {
                FileNotFoundException or DirectoryNotFoundException => "no such file",
                UnauthorizedAccessException => "permission denied",
                _ => refused.Message,
            };
            return null;
        }
    }
}
