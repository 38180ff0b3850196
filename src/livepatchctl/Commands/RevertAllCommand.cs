// `revert --all`: takes out every patch of the daemon's, keeps out those that would come in, and says what is in force after that.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Kpatch;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class RevertAllCommand
{
    private const string What = "revert --all";

    /// <summary>As many jobs as one user may have open.</summary>
    private const int AtOnce = 16;

    public static int Run(Session session, WaitOptions options, bool overrideGates)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(What, daemon.Error);
        using var connection = daemon.Value;
        var patches = connection.Patches();
        if (!patches.IsOk)
            return session.Fail(What, patches.Error);
        using var stop = new StopSignals();
        var follower = new JobFollower(connection, session.Clock, stop);
        if (options.Wait && follower.Subscribe() is { IsOk: false, Error: var refused })
            return session.Fail(What, refused);
        var exitCode = ExitCode.Ok;
        var wait = new WaitClock(session.Clock, options.Limit);
        foreach (var some in InOrder(patches.Value).Chunk(AtOnce))
        {
            var jobs = Ask(session, connection, some, overrideGates, ref exitCode, out var goOn);
            foreach (var (name, job) in jobs)
            {
                var code = options.Wait ? Follow(session, connection, follower, name, job, wait, options.Limit is not null) : ExitCode.Ok;
                if (!options.Wait)
                    JobCommand.TellStarted(session, name, job);
                exitCode = exitCode == ExitCode.Ok ? code : exitCode;
                if (code is ExitCode.Interrupted or ExitCode.Unreachable)
                    return code;
            }
            if (!goOn)
                break;
        }
        if (options.Wait)
            TellWhatIsInForce(session, connection);
        return exitCode;
    }

    /// <summary>
    /// Those first that the kernel does not have and that would be loaded sooner or later: what was replaced is wanted again once its
    /// successor is out. Then from the top of the stack.
    /// </summary>
    private static IEnumerable<string> InOrder(List<PatchFacts> patches) => patches
        .Where(static p => p.KnownState is not (PatchState.Foreign or PatchState.Unsupported or PatchState.Reverted))
        .OrderBy(InKernel.Is)
        .ThenByDescending(static p => p.StackOrder)
        .ThenByDescending(static p => p.LoadedSince)
        .Select(static p => p.Name);

    /// <summary>All of them before any is waited for, so that whoever stops waiting has asked for all.</summary>
    /// <param name="goOn">False: what was refused will be refused to the others as well.</param>
    private static List<(string Name, string Job)> Ask(Session session, Daemon daemon, string[] names, bool overrideGates, ref int exitCode, out bool goOn)
    {
        goOn = true;
        var jobs = new List<(string Name, string Job)>();
        foreach (var name in names)
        {
            var job = daemon.Revert(name, overrideGates);
            if (job.IsOk)
            {
                jobs.Add((name, job.Value));
                continue;
            }
            // It has gone since it was listed.
            if (job.Error.Name == Failure.NoSuchPatch)
                continue;
            var code = session.Fail($"{What}: {name}", job.Error, name);
            exitCode = exitCode == ExitCode.Ok ? code : exitCode;
            goOn = job.Error.Name == BusNames.ErrorPrefix + "NameConflict";
            if (!goOn)
                break;
        }
        return jobs;
    }

    private static int Follow(Session session, Daemon daemon, JobFollower follower, string name, string job, WaitClock wait, bool isLimited)
    {
        BusResult<JobEnding> ending;
        using (var progress = new ProgressLine(session.Terminal))
        {
            ending = follower.Follow(
                job, name, isLimited ? wait.AtMost(null) : null, session.Terminal.ErrorIsTty ? JobCommand.Tick : null,
                patch => progress.Show(JobCommand.Progress(patch, daemon.Host().Value?.Transition, session.Now)));
        }
        return ending.IsOk ? JobCommand.Tell(session, daemon, name, ending.Value, Outcome.OfRevert) : session.Fail($"{What}: {name}", ending.Error, name);
    }

    private static void TellWhatIsInForce(Session session, Daemon daemon)
    {
        if (daemon.Patches().Value is not { } patches)
            return;
        var left = patches.Where(static p => p.KnownState is not PatchState.Foreign && InKernel.Is(p) && p is not { KnownReason.Reason: Reason.ModulesDisabled }).ToList();
        session.Terminal.Out.WriteLine(TextOf.Clean(left.Count == 0 ? "none of livepatchd's patches is in force" : $"still in the kernel: {string.Join(", ", left.Select(static p => $"{p.Name} ({p.State})"))}"));
        var foreign = patches.Where(static p => p.KnownState is PatchState.Foreign).Select(static p => p.Name).ToList();
        if (foreign.Count > 0)
            session.Terminal.Out.WriteLine(TextOf.Clean($"not loaded by livepatchd, and left alone: {string.Join(", ", foreign)}"));
    }
}
