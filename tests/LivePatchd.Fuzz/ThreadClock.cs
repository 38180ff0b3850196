// The CPU time that the calling thread has used.
using System.Runtime.InteropServices;

namespace LivePatchd.Fuzz;

internal static unsafe partial class ThreadClock
{
    // CLOCK_THREAD_CPUTIME_ID
    private const int ThreadCpuTime = 3;

    public static TimeSpan Now
    {
        get
        {
            var time = stackalloc long[2];
            return clock_gettime(ThreadCpuTime, time) == 0
                ? TimeSpan.FromTicks((time[0] * TimeSpan.TicksPerSecond) + (time[1] / TimeSpan.NanosecondsPerTick))
                : throw new InvalidOperationException("no clock for the thread");
        }
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, long* time);
}
