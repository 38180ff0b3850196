// `confirm` and `release`: an operator's word for a patch on probation, and for one under quarantine.
using LivePatchd.Bus;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class TrustCommand
{
    public static int Confirm(Session session, string argument) =>
        Run(session, "confirm", argument, static (daemon, name) => daemon.Confirm(name), "confirmed");

    public static int Release(Session session, string argument) =>
        Run(session, "release", argument, static (daemon, name) => daemon.Release(name), "out of quarantine");

    private static int Run(Session session, string verb, string argument, Func<Daemon, string, BusResult<bool>> ask, string done)
    {
        var name = NameArgument.Canonical(argument);
        var what = $"{verb} {argument}";
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(what, daemon.Error);
        using var connection = daemon.Value;
        var answered = ask(connection, name);
        if (!answered.IsOk)
            return session.Fail(what, answered.Error, name);
        session.Terminal.Out.WriteLine(TextOf.Clean($"{name}: {done}"));
        return ExitCode.Ok;
    }
}
