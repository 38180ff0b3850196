// `load`: hands a module to the daemon, asks it to apply, and waits until the kernel has finished; one bad file stops no other.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Commands;

namespace LivePatchd.Ctl.Kpatch;

internal sealed class KpatchLoad(KpatchHost host, Daemon daemon, KpatchJobs jobs, bool all)
{
    /// <summary>Asked for together, so that a patch which must come after another does not wait for it alone; well below what one user may have open.</summary>
    private const int Together = 8;

    private static readonly ApplyOptions Plainly = new(OverrideGates: false, Confirm: false, Deadline: null, Downgrade: false);

    /// <summary>`load --all` is what a service of the boot runs: nobody has asked for these patches in particular.</summary>
    private ApplyOptions How => all ? Plainly with { WaitForBoot = true } : Plainly;

    /// <param name="What">As the messages call it.</param>
    /// <param name="Job">Null when nothing is left to wait for.</param>
    private sealed record Attempt(string What, string Name, string? Job, bool Failed = false);

    public static int One(KpatchHost host, string argument) =>
        // A module that is not installed may still be one that the daemon has.
        KpatchModules.Find(host, argument) is { } path ? With(host, all: false, load => load.End(load.Start(path)))
        : PatchName.TryParse(argument) is { } name ? With(host, all: false, load => load.End(load.ByName(name.Value)), orElse: $"can't find {argument}")
        : host.Die($"can't find {argument}");

    public static int All(KpatchHost host)
    {
        var files = KpatchModules.Installed(host, host.Release);
        return files.Count == 0 ? ExitCode.Ok : With(host, all: true, load =>
        {
            var good = true;
            foreach (var chunk in files.Chunk(Together))
            {
                foreach (var attempt in chunk.Select(load.Start).ToList())
                    good &= load.End(attempt);
            }
            return good;
        });
    }

    /// <param name="orElse">What to say when there is no daemon to ask.</param>
    private static int With(KpatchHost host, bool all, Func<KpatchLoad, bool> run, string? orElse = null)
    {
        var daemon = host.Session.Connect();
        if (!daemon.IsOk)
            return orElse is null ? host.Die(daemon.Error) : host.Die(orElse, daemon.Error);
        using var connection = daemon.Value;
        using var jobs = new KpatchJobs(host, connection);
        if (jobs.Subscribe() is { IsOk: false, Error: var refused })
            return host.Die(refused);
        return run(new KpatchLoad(host, connection, jobs, all)) ? ExitCode.Ok : ExitCode.Failed;
    }

    private Attempt Start(string path)
    {
        if (KpatchFile.Read(path, out var why) is not { } file)
        {
            host.Warn($"failed to load module {path}: {why}");
            return new Attempt(path, "", null, Failed: true);
        }
        var known = daemon.Patch(file.Name);
        if (!known.IsOk && known.Error.Name != Failure.NoSuchPatch)
            return Fail(path, known.Error);
        if (known.Value is { } there && there.Sha256 == file.Sha256 && Stands(there))
            return new Attempt(path, file.Name, null);
        host.Say($"loading patch module: {path}");
        var job = Ask(file, known.Value);
        return job.IsOk ? new Attempt(path, file.Name, job.Value) : Fail(path, job.Error);
    }

    private Attempt ByName(string name)
    {
        var known = daemon.Patch(name);
        if (!known.IsOk)
        {
            if (known.Error.Name != Failure.NoSuchPatch)
                return Fail(name, known.Error);
            host.Warn($"can't find {name}");
            return new Attempt(name, name, null, Failed: true);
        }
        if (Stands(known.Value))
            return new Attempt(name, name, null);
        host.Say($"loading patch module: {name}");
        var job = daemon.Apply(name, How, deadline: null);
        return job.IsOk ? new Attempt(name, name, job.Value) : Fail(name, job.Error);
    }

    /// <summary>There is nothing to do, and that has been said.</summary>
    private bool Stands(PatchFacts patch)
    {
        if (patch.KnownState is PatchState.Active or PatchState.Soaking or PatchState.Forced)
            host.Say($"module named {patch.Name} already loaded and enabled");
        else if (all && InKernel.IsReplaced(patch))
            host.Say($"module named {patch.Name} is replaced by a newer one");
        else
            return false;
        return true;
    }

    /// <summary>
    /// Asks for what the daemon has, or will find in the directory that it watches; hands it a copy of anything else.
    /// </summary>
    private BusResult<string> Ask(KpatchFile file, PatchFacts? known)
    {
        var bare = host.Bare(Path.GetFullPath(file.Path));
        var mayBeSeen = known is null or { File: null, KnownState: PatchState.Reverted } || known.File == bare;
        if (known?.Sha256 == file.Sha256 || (KpatchHost.IsInstalled(bare) && mayBeSeen))
        {
            // Whether the directory is watched the daemon knows: it looks once more before it says that there is no such patch.
            var job = daemon.Apply(file.Name, How, deadline: null);
            if (job.IsOk || job.Error.Name != Failure.NoSuchPatch)
                return job;
        }
        if (StageCommand.Open(file.Path, out var why) is not { } handle)
            return new BusError(BusErrorNames.Failed, why, 0);
        using (handle)
        {
            var staged = daemon.Stage(handle, FileNameOf(file, known));
            return staged.IsOk ? daemon.Apply(staged.Value, How, deadline: null) : staged.Error;
        }
    }

    // Over the copy that is there: two files of one module are two wishes.
    private static string FileNameOf(KpatchFile file, PatchFacts? known) =>
        known?.File is { } copy && !KpatchHost.IsInstalled(copy) && copy.EndsWith(file.Ending, StringComparison.Ordinal)
            ? Path.GetFileName(copy)
            : file.Name + file.Ending;

    private bool End(Attempt attempt)
    {
        if (attempt.Job is null)
            return !attempt.Failed;
        var ended = jobs.Wait(attempt.Job, attempt.Name);
        if (!ended.IsOk)
            return !Fail(attempt.What, ended.Error).Failed;
        var ending = ended.Value;
        if (Outcome.OfApply(ending.Ending, ending.Patch) == ExitCode.Ok || (all && InKernel.IsReplaced(ending.Patch)))
            return true;
        if (all && ending.Patch.KnownReason is { Reason: Reason.BootNotComplete })
        {
            // The service that runs this is part of the boot, which would not end before it.
            host.Say($"module named {attempt.Name} is loaded by livepatchd when the boot is complete");
            return true;
        }
        host.Warn(ending.IsReversed
            ? $"error: failed to load module {attempt.Name} (transition stalled): {ending.Words}"
            : $"failed to load module {attempt.What}: {ending.Words}");
        return false;
    }

    private Attempt Fail(string what, BusError error)
    {
        host.Die($"failed to load module {what}", error);
        return new Attempt(what, "", null, Failed: true);
    }
}
