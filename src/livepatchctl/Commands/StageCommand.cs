// `stage FILE` and `unstage NAME`: puts a file into the daemon's directory and takes one out; the file travels as a descriptor.
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Ctl.Commands;

internal static class StageCommand
{
    /// <summary>The next step when a file is refused and no reason has one of its own.</summary>
    public const string NotAcceptable = "check that it is a livepatch module for this kernel";

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
            var staged = daemon.Stage(file, Path.GetFileName(path));
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
