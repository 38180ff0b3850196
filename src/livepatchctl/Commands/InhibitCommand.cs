// `inhibit`: no change while a command runs; the command takes this process's place and inherits the descriptor that inhibits.
using LivePatchd.Ctl.Files;

namespace LivePatchd.Ctl.Commands;

internal static class InhibitCommand
{
    /// <returns>Only when the command could not be started.</returns>
    public static int Run(Session session, string who, string why, string[] command)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("inhibit", daemon.Error);
        using var connection = daemon.Value;
        var token = connection.Inhibit(who.Length > 0 ? who : command[0], why);
        if (!token.IsOk)
            return session.Fail("inhibit", token.Error);
        using var held = token.Value;
        session.Terminal.Out.Flush();
        var refused = Exec.Become(command, held);
        return session.Fail(ExitCode.Failed, "inhibit", $"{command[0]} cannot be started ({refused})", "check the command");
    }
}
