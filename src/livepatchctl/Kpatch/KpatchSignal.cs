// `signal`: the kernel pokes the tasks by itself since 5.1, so there is only this to say, and only while a transition runs.
namespace LivePatchd.Ctl.Kpatch;

internal static class KpatchSignal
{
    public static int Run(KpatchHost host)
    {
        var daemon = host.Session.Connect();
        if (!daemon.IsOk)
            return host.Die(daemon.Error);
        using var connection = daemon.Value;
        var facts = connection.Host();
        if (!facts.IsOk)
            return host.Die(facts.Error);
        if (facts.Value.Transition is null)
            return ExitCode.Ok;
        host.Warn("Livepatch process signaling is performed automatically on your system.");
        host.Warn("Skipping manual process signaling.");
        return ExitCode.Ok;
    }
}
