// Follows jobs of the daemon to their end, in kpatch's words while a transition lasts.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Kpatch;

/// <param name="Patch">As it is after the end; reverted when the daemon does not know it any more.</param>
internal sealed record KpatchEnding(JobEnding Ending, PatchFacts Patch)
{
    public bool IsReversed => Ending is { End: JobEnd.Result, Result: "reversed" };

    /// <summary>Its state, why, and what to do next.</summary>
    public string Words
    {
        get
        {
            var (why, next) = Outcome.Words(Ending);
            return PatchText.Setback(Patch, why, next);
        }
    }
}

internal sealed class KpatchJobs : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly KpatchHost _host;
    private readonly Daemon _daemon;
    private readonly StopSignals _stop = new();
    private readonly JobFollower _follower;

    public KpatchJobs(KpatchHost host, Daemon daemon)
    {
        _host = host;
        _daemon = daemon;
        _follower = new JobFollower(daemon, host.Session.Clock, _stop);
    }

    public BusResult<bool> Subscribe() => _follower.Subscribe();

    public BusResult<KpatchEnding> Wait(string job, string name)
    {
        WaitClock? transition = null;
        var ending = _follower.Follow(job, name, limit: null, Tick, patch =>
        {
            if (transition is not null || patch.KnownState is not (PatchState.Transitioning or PatchState.Stalled or PatchState.Reverting))
                return;
            transition = new WaitClock(_host.Session.Clock, null);
            _host.Say("waiting for patch transition to complete...");
        });
        if (!ending.IsOk)
            return ending.Error;
        if (transition is not null && ending.Value is { Result: "done" })
            _host.Say($"transition complete ({(int)transition.Elapsed.TotalSeconds} seconds)");
        return new KpatchEnding(ending.Value, _daemon.Patch(name).Value ?? new PatchFacts(name, PatchState.Reverted.Word(), null));
    }

    public void Dispose() => _stop.Dispose();
}
