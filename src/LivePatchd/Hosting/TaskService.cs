// The helper's process: the connection that its socket unit has accepted is standard input.
using System.Net.Sockets;
using LivePatchd.Linux;
using LivePatchd.Linux.Tasks;

namespace LivePatchd.Hosting;

internal static class TaskService
{
    /// <returns>False when standard input is no socket.</returns>
    public static bool Run(SystemRoot root)
    {
        try
        {
            using var connection = new Socket(new SafeSocketHandle(0, ownsHandle: false));
            TaskHelper.Serve(connection, root);
            return true;
        }
        catch (SocketException e)
        {
            Console.Error.WriteLine($"livepatchd: --serve-tasks is for livepatchd-tasks@.service: {e.Message}");
            return false;
        }
    }
}
