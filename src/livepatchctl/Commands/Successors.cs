// What is in force once a cumulative patch is out: the kernel loses all of its fixes, and the daemon loads again what it had replaced.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class Successors
{
    /// <summary>The loads begin when the revert has ended; they are not waited for longer than this.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    /// <summary>Names of the patches that are replaced at this moment.</summary>
    public static IReadOnlySet<string> Replaced(Daemon daemon) => daemon.Patches().Value is { } patches
        ? patches.Where(static p => p.KnownState is PatchState.Superseded).Select(static p => p.Name).ToHashSet(StringComparer.Ordinal)
        : new HashSet<string>(StringComparer.Ordinal);

    /// <param name="replaced">From before the revert; nothing is said when there were none.</param>
    public static void Tell(Session session, Daemon daemon, string name, IReadOnlySet<string> replaced)
    {
        if (replaced.Count == 0)
            return;
        using var stop = new StopSignals();
        var wait = new WaitClock(session.Clock, Patience);
        List<PatchFacts> again;
        while (true)
        {
            var all = daemon.Patches().Value ?? [];
            again = [.. all.Where(p => replaced.Contains(p.Name) && p.KnownState is not (PatchState.Reverted or PatchState.Superseded))];
            if (!all.Exists(p => replaced.Contains(p.Name) && p.KnownState is PatchState.Staged or PatchState.Loading or PatchState.Transitioning) || wait.IsOver)
                break;
            // The job's signals are still subscribed to on this connection.
            if (daemon.Wait(wait.AtMost(LookAgain), stop.Wake) is not { IsOk: true, Value: not BusWait.Cancelled })
                break;
        }
        foreach (var patch in again)
            session.Terminal.Out.WriteLine(TextOf.Clean($"{patch.Name}: {PatchText.StateAndSoak(patch, session.Clock)} (loaded again in place of {name}; 'livepatchctl revert {patch.Name}' takes it out)"));
        if (again.Count == 0)
            session.Terminal.Out.WriteLine($"none of the patches that {name} replaced is loaded again");
    }
}
