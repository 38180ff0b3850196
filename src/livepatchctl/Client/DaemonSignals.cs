// The signals that a waiting client needs: everything the daemon says, and its coming and going.
using LivePatchd.Bus;
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Client;

internal static class DaemonSignals
{
    private const string OwnerRule =
        $"type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='{BusNames.Service}'";

    // By the well-known name, so that the rule holds for the next daemon too.
    private const string DaemonRule = $"type='signal',sender='{BusNames.Service}',path_namespace='{BusNames.ManagerPath}'";

    /// <param name="onSignal">Arguments, object path, member.</param>
    /// <param name="onOwner">True when a daemon took the name, false when it left.</param>
    public static BusResult<bool> Subscribe(Daemon daemon, Action<BusReader, string, string> onSignal, Action<bool> onOwner)
    {
        var owner = daemon.OnSignals(OwnerRule, (reader, _, _) =>
        {
            reader.ReadString();
            reader.ReadString();
            onOwner(reader.ReadString().Length > 0);
        });
        return owner.IsOk ? daemon.OnSignals(DaemonRule, onSignal) : owner;
    }
}
