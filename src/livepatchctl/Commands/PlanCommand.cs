// `plan [FILE]`: what the daemon would do next, or what would become of a file, as sentences or as one document.
using LivePatchd.Bus;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class PlanCommand
{
    public static int Run(Session session, string? path, bool asJson) =>
        path is null ? OfDirectory(session, asJson) : OfFile(session, path, asJson);

    private static int OfDirectory(Session session, bool asJson)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("plan", daemon.Error);
        using var connection = daemon.Value;
        var text = connection.Plan();
        return text.IsOk ? Show(session, "plan", text.Value, asJson, ofFile: false) : session.Fail("plan", text.Error);
    }

    // Who may not ask the daemon, or has none, still hears what the file alone tells.
    private static int OfFile(Session session, string path, bool asJson)
    {
        var what = $"plan {path}";
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return Alone(session, path, daemon.Error, asJson);
        using var connection = daemon.Value;
        if (StageCommand.Open(path, out var why) is not { } file)
            return session.Fail(ExitCode.Failed, what, why, "check the path and its permissions");
        using (file)
        {
            var text = connection.PlanFile(file, Path.GetFileName(path));
            return text.IsOk ? Show(session, what, text.Value, asJson, ofFile: true)
                : Failure.Of(text.Error) is { ExitCode: ExitCode.Unreachable or ExitCode.NotAuthorised } || text.Error.Name == BusErrorNames.UnknownMethod
                    ? Alone(session, path, text.Error, asJson)
                    : session.Fail(what, text.Error);
        }
    }

    private static int Alone(Session session, string path, BusError error, bool asJson)
    {
        session.Terminal.Error.WriteLine(TextOf.Clean($"livepatchctl: plan {path}: {TextOf.WithoutStop(Failure.Of(error).Why)}; by the file alone:"));
        var text = FilePlan.Document(path, out var refused);
        return text is null
            ? session.Fail(ExitCode.Failed, $"plan {path}", refused.Why, refused.Next)
            : Show(session, $"plan {path}", text, asJson, ofFile: true);
    }

    private static int Show(Session session, string what, string text, bool asJson, bool ofFile)
    {
        if (PlanFacts.Parse(text) is not { } plan)
            return session.Fail(ExitCode.Failed, what, "the daemon's plan is not of schema 1", "install livepatchctl and livepatchd of one version");
        if (asJson)
            session.Terminal.Out.WriteLine(text);
        else
            PlanText.Print(session.Terminal, plan, session.Now, ofFile);
        return ExitCode.Ok;
    }
}
