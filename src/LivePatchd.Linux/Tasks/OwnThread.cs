// Whether a thread of this process still exists: the kernel ends one that oopses inside a system call, and tells nobody in the process.
namespace LivePatchd.Linux.Tasks;

public sealed class OwnThread
{
    private readonly string path;

    private OwnThread(string path) => this.path = path;

    /// <summary>False from the moment at which the kernel has taken the thread off its books. True where /proc cannot tell.</summary>
    public bool IsAlive => path.Length == 0 || Directory.Exists(path);

    /// <summary>The calling thread: `/proc/thread-self` names it as PID/task/TID (proc(5)).</summary>
    public static OwnThread Current()
    {
        try
        {
            return new(new FileInfo("/proc/thread-self").LinkTarget is { } link ? "/proc/" + link : "");
        }
        catch (IOException)
        {
            return new("");
        }
    }
}
