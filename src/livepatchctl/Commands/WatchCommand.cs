// `watch`: a live view on a terminal, one line a change elsewhere; it outlives the daemon it watches.
using LivePatchd.Bus;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Json;
using LivePatchd.Ctl.Output;
using LivePatchd.Ctl.Watching;

namespace LivePatchd.Ctl.Commands;

/// <param name="Limit">Null for none.</param>
internal sealed record WatchOptions(bool AsJson, bool UntilIdle, TimeSpan? Limit);

internal sealed class WatchCommand(Session session, Daemon daemon, WatchOptions options)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    // The daemon needs a moment to see a file that was dropped just before the watch began.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private readonly WatchModel _model = new();
    private readonly WatchScreen _screen = new(session.Terminal);
    private readonly bool _isLive = session.Terminal.IsTty && !options.AsJson;
    private bool _daemonIsPresent = true;
    private bool _needsLook = true;
    private WaitClock? _quiet;

    public static int Run(Session session, WatchOptions options)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail("watch", daemon.Error);
        using var connection = daemon.Value;
        return new WatchCommand(session, connection, options).Run();
    }

    private int Run()
    {
        using var stop = new StopSignals();
        var subscribed = DaemonSignals.Subscribe(daemon, OnSignal, OnOwner);
        if (!subscribed.IsOk)
            return session.Fail("watch", subscribed.Error);
        if (Look() is { } unreachable)
            return session.Fail("watch", unreachable);
        var limit = new WaitClock(session.Clock, options.Limit);
        while (true)
        {
            // An absent daemon is waited for; any other failure to look ends the watch.
            if (_daemonIsPresent && _needsLook && Look() is { } error && !Departed(error))
                return session.Fail("watch", error);
            Show();
            if (options.UntilIdle && IsQuiet())
                return ExitCode.Ok;
            if (limit.IsOver)
                return options.UntilIdle ? ExitCode.TryLater : ExitCode.Ok;
            var woken = daemon.Wait(limit.AtMost(Pause()), stop.Wake);
            if (!woken.IsOk)
                return session.Fail("watch", woken.Error);
            if (woken.Value == BusWait.Cancelled)
                return ExitCode.Ok;
            _needsLook |= _isLive && woken.Value == BusWait.TimedOut && _model.HasMovingFigures;
        }
    }

    private BusError? Look()
    {
        var look = daemon.Snapshot();
        if (!look.IsOk)
            return look.Error;
        _needsLook = false;
        _model.Reset(look.Value, session.Now);
        return null;
    }

    private bool Departed(BusError error)
    {
        var departed = error.Name is BusErrorNames.ServiceUnknown or BusErrorNames.NameHasNoOwner or BusErrorNames.NoReply;
        if (departed)
            OnOwner(false);
        return departed;
    }

    private void Show()
    {
        var any = false;
        while (_model.TryTakeChange(out var change))
        {
            any = true;
            if (options.AsJson)
                JsonOut.Line(session.Terminal, json => ChangeJson.Members(json, change));
            else if (!_isLive)
                session.Terminal.Out.WriteLine(Line(change));
        }
        if (_isLive)
            _screen.Draw(_model, _daemonIsPresent, session.Now);
        else if (any)
            session.Terminal.Out.Flush();
    }

    private string Line(Change change)
    {
        var line = $"{TimeText.LocalRfc3339(change.Time, session.Clock)} {change.Patch} {change.State ?? "-"}";
        return TextOf.Clean(change.Reason is null ? line : $"{line} {change.Reason}");
    }

    private bool IsQuiet()
    {
        _quiet = _daemonIsPresent && _model.IsIdle ? _quiet ?? new WaitClock(session.Clock, Quiet) : null;
        return _quiet is { IsOver: true };
    }

    private TimeSpan? Pause() => (_quiet, _isLive) switch
    {
        ({ } quiet, true) => quiet.AtMost(Tick),
        ({ } quiet, false) => quiet.AtMost(null),
        (null, true) => Tick,
        (null, false) => null,
    };

    private void OnSignal(BusReader reader, string path, string member) =>
        _needsLook |= !_model.Apply(reader, path, member, session.Now);

    private void OnOwner(bool present)
    {
        if (_daemonIsPresent && !present && !_isLive)
        {
            session.Terminal.Error.WriteLine("livepatchctl: watch: livepatchd has left the bus; waiting for it to return");
        }
        _daemonIsPresent = present;
        _needsLook = true;
    }
}
