// `reload`: asks for the configuration to be read again, and says what was wrong with it.
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class ReloadCommand
{
    public static int Run(Session session)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("reload", daemon.Error);
        using var connection = daemon.Value;
        var reloaded = connection.Reload();
        if (!reloaded.IsOk && Failure.Of(reloaded.Error).ExitCode is ExitCode.Unreachable or ExitCode.NotAuthorised)
            return session.Fail("reload", reloaded.Error);
        var host = connection.Host();
        if (!host.IsOk)
            return session.Fail("reload", host.Error);
        if (host.Value.ConfigErrors is { Count: > 0 } errors)
            return Refused(session, errors);
        if (!reloaded.IsOk)
            return session.Fail(ExitCode.Failed, "reload", reloaded.Error.Message, "livepatchctl status");
        session.Terminal.Out.WriteLine($"configuration reloaded (generation {host.Value.ConfigGeneration})");
        foreach (var key in host.Value.NotInForce)
            session.Terminal.Out.WriteLine(TextOf.Clean($"not in force in this version: {key}"));
        return ExitCode.Ok;
    }

    // The one place with more than one line on standard error: each error has its own file and line.
    private static int Refused(Session session, IReadOnlyList<string> errors)
    {
        var exitCode = session.Fail(
            ExitCode.Failed,
            "reload",
            "the new configuration was refused and the old one stays in force",
            $"correct {(errors.Count == 1 ? "this" : $"these {errors.Count}")} and reload again");
        foreach (var error in errors)
            session.Terminal.Error.WriteLine(TextOf.Clean(error));
        return exitCode;
    }
}
