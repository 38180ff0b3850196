// `blocking` and `force`: who keeps the running transition from its end, and an operator's last resort against them.
using LivePatchd.Bus;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class BlockingCommand
{
    /// <summary>Asked for early, the daemon has to look first: within a second or two on a host of ordinary size.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(200);

    private const string Warning =
        "To force a transition lets tasks run old and new code at once, which can crash the kernel or corrupt data: do it only when the patch's vendor has cleared it for this very patch. "
        + "Nothing else is loaded in this boot and the module can never be removed, so plan a reboot.";

    public static int Blocking(Session session, bool verbose, bool asJson)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("blocking", daemon.Error);
        using var connection = daemon.Value;
        if (Read(session, connection, "blocking", out var exitCode) is not { } document)
            return exitCode;
        if (asJson)
            session.Terminal.Out.WriteLine(document.Text);
        else if (document.Running is { } running)
            Print(session, running, verbose);
        else
            session.Terminal.Out.WriteLine("no transition is running");
        return ExitCode.Ok;
    }

    /// <param name="token">Null: show what must be seen before, and how to go on.</param>
    public static int Force(Session session, string argument, string? token)
    {
        var name = NameArgument.Canonical(argument);
        var what = $"force {argument}";
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(what, daemon.Error);
        using var connection = daemon.Value;
        if (token is null)
            return Explain(session, connection, what, name);
        var forced = connection.Force(name, token);
        if (!forced.IsOk)
            return session.Fail(what, forced.Error, name);
        session.Terminal.Out.WriteLine(TextOf.Clean($"{name}: forced; plan a reboot"));
        return ExitCode.Ok;
    }

    private static int Explain(Session session, Daemon daemon, string what, string name)
    {
        if (Read(session, daemon, what, out var exitCode) is not { } document)
            return exitCode;
        if (document.Running is not { Token: { } token } running || running.Patch != name)
            return daemon.Patch(name) is { IsOk: false } missing
                ? session.Fail(what, missing.Error)
                : session.Fail(ExitCode.Usage, what, "it is not in transition", "livepatchctl status");
        Print(session, running, verbose: true);
        var terminal = session.Terminal;
        terminal.Out.WriteLine();
        foreach (var line in TextOf.Wrap(Warning, terminal.Columns))
            terminal.Out.WriteLine(line);
        terminal.Out.WriteLine();
        terminal.Out.WriteLine(TextOf.Clean($"livepatchctl force {name} --token {token}"));
        return ExitCode.Usage;
    }

    private static void Print(Session session, BlockingFacts running, bool verbose)
    {
        foreach (var line in BlockingText.Lines(running, verbose, session.Terminal))
            session.Terminal.Out.WriteLine(line);
    }

    private static BlockingDocument? Read(Session session, Daemon daemon, string what, out int exitCode)
    {
        using var stop = new StopSignals();
        var patience = new WaitClock(session.Clock, Patience);
        while (true)
        {
            var text = daemon.Blocking();
            if (!text.IsOk)
            {
                exitCode = session.Fail(what, text.Error);
                return null;
            }
            if (BlockingDocument.Parse(text.Value) is not { } document)
            {
                exitCode = session.Fail(ExitCode.Failed, what, "the daemon's report is not of schema 1", "install livepatchctl and livepatchd of one version");
                return null;
            }
            exitCode = ExitCode.Ok;
            if (!document.IsTooEarly || patience.IsOver)
                return document;
            if (daemon.Wait(Again, stop.Wake) is { IsOk: true, Value: BusWait.Cancelled })
            {
                exitCode = ExitCode.Interrupted;
                return null;
            }
        }
    }
}
