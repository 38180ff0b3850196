// What is in force once a cumulative patch is out: the kernel loses all of its fixes, and the daemon loads again what it had replaced.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class Successors
{
    /// <summary>The loads begin when the revert has ended; they are not waited for longer than this.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    /// <summary>Names of the patches that are replaced at this moment.</summary>
    public static IReadOnlySet<string> Replaced(Daemon daemon) => daemon.Patches().Value is { } patches
        ? patches.Where(static p => p.KnownState is PatchState.Superseded).Select(static p => p.Name).ToHashSet(StringComparer.Ordinal)
        : new HashSet<string>(StringComparer.Ordinal);

    /// <param name="replaced">From before the revert; nothing is said when there were none.</param>
    public static void Tell(Session session, Daemon daemon, string name, IReadOnlySet<string> replaced)
    {
        if (replaced.Count == 0)
            return;
        var begun = session.Clock.GetTimestamp();
        List<PatchFacts> again;
        while (true)
        {
            var all = daemon.Patches().Value ?? [];
            again = [.. all.Where(p => replaced.Contains(p.Name) && p.KnownState is not (PatchState.Reverted or PatchState.Superseded))];
            if (!all.Exists(p => replaced.Contains(p.Name) && p.KnownState is PatchState.Staged or PatchState.Loading or PatchState.Transitioning) || session.Clock.GetElapsedTime(begun) > Patience)
                break;
            Thread.Sleep(Step);
        }
        foreach (var patch in again)
            session.Terminal.Out.WriteLine(TextOf.Clean($"{patch.Name}: {PatchText.StateAndSoak(patch, session.Clock)} (it had been replaced; 'livepatchctl revert --and-superseded {name}' keeps it out)"));
        if (again.Count == 0)
            session.Terminal.Out.WriteLine("none of the patches that it had replaced is loaded again");
    }
}
