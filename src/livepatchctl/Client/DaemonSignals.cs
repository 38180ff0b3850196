// The signals that a waiting client needs: everything the daemon says, and its coming and going.
using LivePatchd.Bus;
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Client;

internal static class DaemonSignals
{
    private const string Bus = "org.freedesktop.DBus";
    private const string OwnerRule = $"path='/org/freedesktop/DBus',interface='{Bus}',member='NameOwnerChanged',arg0='{BusNames.Service}'";
    private const string DaemonRule = $"path_namespace='{BusNames.ManagerPath}'";

    /// <param name="onSignal">Arguments, object path, member.</param>
    /// <param name="onOwner">True when a daemon took the name, false when it left.</param>
    public static BusResult<bool> Subscribe(Daemon daemon, Action<BusReader, string, string> onSignal, Action<bool> onOwner)
    {
        var owner = daemon.OnSignals(Bus, OwnerRule, (reader, _, _) =>
        {
            reader.ReadString();
            reader.ReadString();
            onOwner(reader.ReadString().Length > 0);
        });
        // By the well-known name, so that it holds for the next daemon too.
        return owner.IsOk ? daemon.OnSignals(BusNames.Service, DaemonRule, onSignal) : owner;
    }
}
