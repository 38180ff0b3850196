// Named points at which a test can end the process as a kill would. Nothing in production sets the hook: no option, no environment variable, no file.
namespace LivePatchd.Linux;

public static class Failpoint
{
    internal static Action<string>? Hit { get; set; }

    /// <param name="name">A literal, used once in the source: the test of the list reads it there.</param>
    public static void At(string name) => Hit?.Invoke(name);
}
