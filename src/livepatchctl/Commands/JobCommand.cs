// `apply` and `revert`: starts the job, waits for it unless told otherwise, and says in one line how it ended.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

/// <param name="Limit">Of the wait; null for none.</param>
internal sealed record WaitOptions(bool Wait, TimeSpan? Limit);

/// <param name="Confirm">Somebody must confirm it before its soak ends.</param>
/// <param name="Deadline">From now on; null when there is none.</param>
internal sealed record ApplyOptions(bool OverrideGates, bool Confirm, TimeSpan? Deadline, bool Downgrade, bool WaitForBoot = false);

internal static class JobCommand
{
    internal static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    public static int Apply(Session session, string argument, WaitOptions options, ApplyOptions how)
    {
        var what = $"apply {argument}";
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(what, daemon.Error);
        using var connection = daemon.Value;
        var name = NameArgument.Canonical(argument);
        if (NameArgument.IsFile(argument) && StageCommand.Send(session, connection, what, argument, out name) is var exitCode and not ExitCode.Ok)
            return exitCode;
        return Run(session, connection, what, name, options, n => connection.Apply(n, how, how.Deadline is { } span ? session.Now + span : null), Outcome.OfApply);
    }

    public static int Revert(Session session, string argument, WaitOptions options, bool overrideGates, bool andSuperseded)
    {
        var what = $"revert {argument}";
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(what, daemon.Error);
        using var connection = daemon.Value;
        var name = NameArgument.Canonical(argument);
        var replaced = Successors.Replaced(connection);
        var exitCode = Run(session, connection, what, name, options, n => connection.Revert(n, overrideGates, andSuperseded), Outcome.OfRevert);
        if (exitCode is ExitCode.Ok && options.Wait)
            Successors.Tell(session, connection, name, replaced);
        return exitCode;
    }

    private static int Run(
        Session session, Daemon daemon, string what, string name, WaitOptions options, Func<string, BusResult<string>> start, Func<JobEnding, PatchFacts, int> judge)
    {
        using var stop = new StopSignals();
        var follower = new JobFollower(daemon, session.Clock, stop);
        if (options.Wait && follower.Subscribe() is { IsOk: false, Error: var refused })
            return session.Fail(what, refused);
        var job = start(name);
        if (!job.IsOk)
            return session.Fail(what, job.Error, name);
        if (!options.Wait)
        {
            TellStarted(session, name, job.Value);
            return ExitCode.Ok;
        }
        BusResult<JobEnding> ending;
        using (var progress = new ProgressLine(session.Terminal))
        {
            ending = follower.Follow(job.Value, name, options.Limit, session.Terminal.ErrorIsTty ? Tick : null, patch => progress.Show(Progress(patch, daemon.Host().Value?.Transition, session.Now)));
        }
        return ending.IsOk ? Tell(session, daemon, name, ending.Value, judge) : session.Fail(what, ending.Error, name);
    }

    internal static void TellStarted(Session session, string name, string job) =>
        session.Terminal.Out.WriteLine(TextOf.Clean($"{name}: job {job[(job.LastIndexOf('/') + 1)..]} started"));

    internal static int Tell(Session session, Daemon daemon, string name, JobEnding ending, Func<JobEnding, PatchFacts, int> judge)
    {
        // The patch may be gone by now, which is no failure of its own.
        var patch = daemon.Patch(name).Value ?? new PatchFacts(name, PatchState.Reverted.Word(), null);
        var exitCode = judge(ending, patch);
        if (exitCode == ExitCode.Ok)
        {
            session.Terminal.Out.WriteLine(TextOf.Clean($"{name}: {PatchText.StateAndSoak(patch, session.Clock)}"));
            return exitCode;
        }
        var (why, next) = Outcome.Words(ending);
        session.Terminal.Error.WriteLine(PatchText.Setback(patch, why, next));
        return exitCode;
    }

    internal static string Progress(PatchFacts patch, Transition? transition, DateTimeOffset now)
    {
        var age = patch.StateSince is { } since ? $" {TimeText.Span(now - since)}" : "";
        var tasks = transition is { Total: > 0 } running && running.Patch == patch.Name ? $", {BlockingText.Progress(running.Switched, running.Total)}" : "";
        return $"{patch.Name}: {PatchText.StateAndReason(patch.State, patch.Reason)}{age}{tasks}";
    }
}
