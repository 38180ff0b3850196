// `unload`: reverts, and waits until the module is gone; what could not be taken out is said and is a failure.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Commands;

namespace LivePatchd.Ctl.Kpatch;

internal sealed class KpatchUnload(KpatchHost host, Daemon daemon, KpatchJobs jobs)
{
    public static int One(KpatchHost host, string argument) => With(host, unload => unload.One(KpatchModules.NameOf(argument)));

    public static int All(KpatchHost host) => With(host, static unload => unload.All());

    private static int With(KpatchHost host, Func<KpatchUnload, int> run)
    {
        var daemon = host.Session.Connect();
        if (!daemon.IsOk)
            return host.Die(daemon.Error);
        using var connection = daemon.Value;
        using var jobs = new KpatchJobs(host, connection);
        return jobs.Subscribe() is { IsOk: false, Error: var refused } ? host.Die(refused) : run(new KpatchUnload(host, connection, jobs));
    }

    private int One(string name)
    {
        var known = daemon.Patch(name);
        if (!known.IsOk && known.Error.Name != Failure.NoSuchPatch)
            return host.Die($"failed to disable module {name}", known.Error);
        if (known.Value is { } patch && InKernel.Is(patch))
            return TakeOut(name) ? ExitCode.Ok : ExitCode.Failed;
        if (known.Value is { } waiting && InKernel.IsOnItsWay(waiting))
        {
            if (!Revert(name))
                return ExitCode.Failed;
            host.Say($"patch module {name} is not in the kernel, and stays out");
            return ExitCode.Ok;
        }
        host.Warn($"patch module {name} is not loaded");
        return host.Die($"failed to disable module {name}");
    }

    private int All()
    {
        var known = daemon.Patches();
        if (!known.IsOk)
            return host.Die(known.Error);
        // Else they would come in while the others go: a replaced patch is wanted again once its successor is out.
        foreach (var patch in known.Value.Where(InKernel.IsOnItsWay))
            Revert(patch.Name);
        foreach (var patch in known.Value.Where(InKernel.Is).OrderByDescending(static p => p.StackOrder).ThenByDescending(static p => p.LoadedSince))
            TakeOut(patch.Name);
        var left = daemon.Patches();
        if (!left.IsOk)
            return host.Die(left.Error);
        var remaining = left.Value.Where(InKernel.Is).ToList();
        foreach (var patch in remaining)
            host.Warn($"failed to unload module {patch.Name}");
        return remaining.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private bool TakeOut(string name)
    {
        host.Say($"disabling patch module: {name}");
        if (!Revert(name, out var reverted))
            return false;
        host.Say(reverted is { KnownReason.Reason: Reason.ModulesDisabled }
            ? $"patch module {name} is disabled; the module stays until reboot ({reverted.Reason})"
            : $"unloading patch module: {name}");
        return true;
    }

    private bool Revert(string name) => Revert(name, out _);

    /// <param name="reverted">As it is afterwards; null when nothing was done.</param>
    private bool Revert(string name, out PatchFacts? reverted)
    {
        reverted = null;
        var what = $"failed to disable module {name}";
        var job = daemon.Revert(name, overrideGates: false);
        if (!job.IsOk)
        {
            host.Die(what, job.Error);
            return false;
        }
        var ended = jobs.Wait(job.Value, name);
        if (!ended.IsOk)
        {
            host.Die(what, ended.Error);
            return false;
        }
        reverted = ended.Value.Patch;
        if (Outcome.OfRevert(ended.Value.Ending, ended.Value.Patch) == ExitCode.Ok)
            return true;
        host.Warn($"{(ended.Value.IsReversed ? $"transition stalled for {name}" : what)}: {ended.Value.Words}");
        return false;
    }
}
