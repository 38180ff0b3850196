// Follows one job at a time to its end, and past a restart of the daemon by the state of its patch. Signals say when to look, and the objects what is.
using LivePatchd.Bus;

namespace LivePatchd.Ctl.Client;

internal enum JobEnd
{
    /// <summary>The job has its result.</summary>
    Result,

    /// <summary>The job was lost with its daemon; the patch has come to rest under the next one.</summary>
    Settled,
    TimedOut,
    Interrupted,
}

internal sealed record JobEnding(JobEnd End, string Result = "");

internal sealed class JobFollower(Daemon daemon, TimeProvider clock, StopSignals stop)
{
    private static readonly TimeSpan ReturnLimit = TimeSpan.FromSeconds(30);

    private WaitClock? _absence;
    private bool _isAnotherDaemon;
    private bool _jobIsLost;

    /// <summary>Before the job is asked for, so that its end cannot pass unseen.</summary>
    public BusResult<bool> Subscribe() => DaemonSignals.Subscribe(daemon, static (_, _, _) => { }, OnOwner);

    /// <param name="tick">How often to call <paramref name="onTick"/> with the patch; null for never.</param>
    public BusResult<JobEnding> Follow(string job, string patch, TimeSpan? limit, TimeSpan? tick, Action<PatchFacts> onTick)
    {
        var clockOfWait = new WaitClock(clock, limit);
        _jobIsLost = _isAnotherDaemon;
        while (true)
        {
            var ending = Look(job, patch);
            if (!ending.IsOk || ending.Value.End != JobEnd.TimedOut)
                return ending;
            if (clockOfWait.IsOver)
                return new JobEnding(JobEnd.TimedOut);
            if (tick is not null && _absence is null && daemon.Patch(patch) is { IsOk: true, Value: { } facts })
                onTick(facts);
            var woken = daemon.Wait(clockOfWait.AtMost(_absence is null ? tick : _absence.AtMost(tick)), stop.Wake);
            if (!woken.IsOk)
                return woken.Error;
            if (woken.Value == BusWait.Cancelled)
                return new JobEnding(JobEnd.Interrupted);
        }
    }

    // TimedOut stands for "not yet" here.
    private BusResult<JobEnding> Look(string job, string patch)
    {
        if (_absence is { IsOver: true })
            return new BusError(BusErrorNames.NameHasNoOwner, "livepatchd went away and did not come back", BusErrno.NotConnected);
        if (_absence is not null)
            return new JobEnding(JobEnd.TimedOut);
        return _jobIsLost ? LookAtPatch(patch) : LookAtJob(job, patch);
    }

    private BusResult<JobEnding> LookAtJob(string job, string patch)
    {
        var facts = daemon.Job(job);
        if (facts.IsOk)
            return new JobEnding(facts.Value.IsDone ? JobEnd.Result : JobEnd.TimedOut, facts.Value.Result);
        if (facts.Error.Name is not (BusErrorNames.UnknownObject or BusErrorNames.UnknownInterface))
            return OrAbsent(facts.Error);
        _jobIsLost = true;
        return LookAtPatch(patch);
    }

    private BusResult<JobEnding> LookAtPatch(string patch)
    {
        var facts = daemon.Patch(patch);
        if (facts.IsOk)
            return new JobEnding(facts.Value.KnownState.IsUnderWay() ? JobEnd.TimedOut : JobEnd.Settled);
        return facts.Error.Name == Failure.NoSuchPatch ? new JobEnding(JobEnd.Settled) : OrAbsent(facts.Error);
    }

    // The daemon may have left between two calls; the signal that says so is on its way.
    private BusResult<JobEnding> OrAbsent(BusError error)
    {
        if (error.Name is not (BusErrorNames.ServiceUnknown or BusErrorNames.NameHasNoOwner or BusErrorNames.NoReply))
            return error;
        OnOwner(false);
        return new JobEnding(JobEnd.TimedOut);
    }

    // The next daemon counts its jobs anew: what has this job's path then is another job.
    private void OnOwner(bool present)
    {
        _jobIsLost = _isAnotherDaemon = true;
        _absence = present ? null : _absence ?? new WaitClock(clock, ReturnLimit);
    }
}
