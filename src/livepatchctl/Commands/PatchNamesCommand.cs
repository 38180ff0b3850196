// What completion scripts ask: the names of all patches, one a line; nothing, and no error, where the daemon is not there at once.
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Commands;

internal static class PatchNamesCommand
{
    /// <summary>Somebody waits with a finger on the key. It bounds the connection too, which the bus's own limit would keep open for half a minute.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static int Run(Session session)
    {
        var names = Task.Run(() => Names(session));
        if (names.Wait(Patience))
        {
            foreach (var name in names.Result)
                session.Terminal.Out.WriteLine(name.Value);
        }
        return ExitCode.Ok;
    }

    private static IEnumerable<PatchName> Names(Session session)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return [];
        using var connection = daemon.Value;
        // Only what is a name by the contract's rule ever reaches a shell.
        return connection.NamesIfRunning(Patience).Value?.Select(static n => PatchName.TryParse(n)).OfType<PatchName>() ?? [];
    }
}
