// `hold` and `unhold`: an operator's word that nothing is to be changed, and its end.
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

/// <param name="For">From now on; null when there is no such option.</param>
/// <param name="Until">Null when there is no such option.</param>
internal sealed record HoldOptions(string Why, TimeSpan? For, DateTimeOffset? Until);

internal static class HoldCommand
{
    public static int Hold(Session session, HoldOptions options)
    {
        var until = options.For is { } span ? session.Now + span : options.Until;
        if (until <= session.Now)
            return session.Fail(ExitCode.Usage, "hold", "the time given has passed", "livepatchctl hold --help");
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("hold", daemon.Error);
        using var connection = daemon.Value;
        var held = connection.Hold(options.Why, until);
        if (!held.IsOk)
            return session.Fail("hold", held.Error);
        session.Terminal.Out.WriteLine(until is { } end ? $"held until {TimeText.LocalAndRelative(end, session.Clock)}" : "held until livepatchctl unhold");
        return ExitCode.Ok;
    }

    public static int Unhold(Session session)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("unhold", daemon.Error);
        using var connection = daemon.Value;
        var released = connection.Unhold();
        if (!released.IsOk)
            return session.Fail("unhold", released.Error);
        session.Terminal.Out.WriteLine("no hold");
        return ExitCode.Ok;
    }
}
