// Is the host going down? Asked once, when the daemon is stopped, with a time limit.
using LivePatchd.Bus;
using LivePatchd.Linux;

namespace LivePatchd.Systemd;

internal static class ShutdownQuestion
{
    /// <summary>systemd's own door, which `systemctl` goes through: at a shutdown the bus is stopped at the same time as this daemon.</summary>
    public const string PrivateSocket = "/run/systemd/private";

    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    /// <summary>False also when nobody can tell: then the next boot is taken for one after a crash.</summary>
    public static async Task<bool> Ask(SystemRoot root, BusAddress bus, TimeProvider clock)
    {
        try
        {
            return await Task.Run(() => Ask(BusAddress.Peer($"unix:path={root.Path(PrivateSocket)}")) ?? Ask(bus) ?? false)
                .WaitAsync(Patience, clock).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static bool? Ask(BusAddress address)
    {
        var opened = SystemdClient.Connect(address);
        if (!opened.IsOk)
            return null;
        using var systemd = opened.Value;
        var answer = systemd.IsStopping(CallLimit);
        return answer.IsOk ? answer.Value : null;
    }
}
