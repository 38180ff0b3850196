// A machine under pressure, for samples: io stalls all the time, every other counter goes up by one a sample.
using LivePatchd.Core.Model;

namespace LivePatchd.EndToEnd.Tests;

/// <param name="complete">False: nothing is known of memory, of `full` on cpu and of the network.</param>
internal sealed class Machine(bool complete = false)
{
    private int samples;

    public int Samples => Volatile.Read(ref samples);

    public PressureSample Read(Instant now)
    {
        var count = (ulong)Interlocked.Increment(ref samples);
        var line = new PsiLine(0, 0, 0, now.Monotonic);
        var reading = new PsiReading(line, line);
        return new PressureSample(
            now, reading, reading with { Full = null }, complete ? reading : null, null, 1, complete ? new TcpCounters(count, count) : null, count, 0, 0);
    }
}
