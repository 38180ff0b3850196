// `confirm` and `release`: an operator's word for a patch on probation, and for one under quarantine.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class TrustCommand
{
    public static int Confirm(Session session, string argument) =>
        Run(session, "confirm", argument, static (daemon, name) => daemon.Confirm(name), "confirmed");

    /// <summary>One after the other, also past one that is refused: the exit code is that of the first refusal.</summary>
    public static int Release(Session session, IReadOnlyList<string> arguments)
    {
        var first = ExitCode.Ok;
        foreach (var argument in arguments.Distinct(StringComparer.Ordinal))
        {
            var code = Run(session, "release", argument, static (daemon, name) => daemon.Release(name), "out of quarantine");
            if (first == ExitCode.Ok)
                first = code;
        }
        return first;
    }

    public static int ReleaseAll(Session session)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("release --all", daemon.Error);
        BusResult<List<PatchFacts>> patches;
        using (daemon.Value)
            patches = daemon.Value.Patches();
        if (!patches.IsOk)
            return session.Fail("release --all", patches.Error);
        var names = patches.Value.Where(static p => p.KnownState is PatchState.Quarantined || p.Reason == Reason.Suspected.Word()).Select(static p => p.Name).ToList();
        if (names.Count > 0)
            return Release(session, names);
        session.Terminal.Out.WriteLine("no patch is quarantined or suspected");
        return ExitCode.Ok;
    }

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
