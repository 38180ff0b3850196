// How long something may take on a host that crashes: so long from the last death on, because every life begins anew.
using System.Diagnostics;

namespace LivePatchd.EndToEnd.Tests.Crash;

internal sealed class Patience(CrashHostRun run)
{
    private int deaths = run.Deaths;
    private long since = Stopwatch.GetTimestamp();

    public bool IsOver
    {
        get
        {
            if (run.Deaths != deaths)
                (deaths, since) = (run.Deaths, Stopwatch.GetTimestamp());
            return Stopwatch.GetElapsedTime(since) > Limit.Long;
        }
    }
}
