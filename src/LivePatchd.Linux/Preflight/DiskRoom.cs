// How much can still be written under /var/lib/livepatchd: not what is free, but what this process would be given.
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Linux.Preflight;

internal static class DiskRoom
{
    private const string StateDirectory = "/var/lib/livepatchd";
    private const string Probe = StateDirectory + "/.room";

    /// <summary>Null where it cannot be known.</summary>
    public static long? Of(SystemRoot root)
    {
        try
        {
            // What is left for everybody. A file system keeps some blocks for root, and some that nobody gets (ext4 up to 16 MiB): the
            // free ones say nothing of either.
            var available = new DriveInfo(root.Path(StateDirectory)).AvailableFreeSpace;
            return available >= Foresight.DiskLeft || !CanReserve(root.Path(Probe), Foresight.DiskLeft) ? available : Foresight.DiskLeft;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Whether root's reserve still gives it, tried out: blocks are really allotted, and given back at once.</summary>
    private static bool CanReserve(string path, long bytes)
    {
        try
        {
            // What a run that was killed left behind would stand in the way.
            File.Delete(path);
            using var probe = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.DeleteOnClose, bytes);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
