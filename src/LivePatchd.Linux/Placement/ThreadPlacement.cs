// Pins and nices the calling thread for one call, and puts it back afterwards.
using System.Collections.Immutable;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Placement;

/// <summary>
/// Apply and Dispose on the same thread. Nothing here is fatal: a load that runs where the scheduler puts it is better than none, so
/// what was refused is in <see cref="Refused"/>, for the log.
/// </summary>
public sealed unsafe class ThreadPlacement : IDisposable
{
    private const int MaskSize = CpuList.MaxCpus / 8;

    private readonly byte[]? maskBefore;
    private readonly int? niceBefore;

    private ThreadPlacement(byte[]? maskBefore, int? niceBefore, ImmutableArray<string> refused)
    {
        this.maskBefore = maskBefore;
        this.niceBefore = niceBefore;
        Refused = refused;
    }

    public ImmutableArray<string> Refused { get; private set; }

    /// <summary>CPUs on which the calling thread may run; empty when the kernel does not say.</summary>
    public static ImmutableArray<int> AllowedCpus()
    {
        Span<byte> mask = stackalloc byte[MaskSize];
        return GetMask(mask) ? [.. CpusOf(mask)] : [];
    }

    /// <summary>The calling thread's nice value.</summary>
    public static int Nice() => LibC.getpriority(LibC.PriorityOfProcess, 0);

    /// <param name="cpu">Null leaves the choice to the scheduler.</param>
    public static ThreadPlacement Apply(int? cpu, int nice)
    {
        var refused = ImmutableArray.CreateBuilder<string>();
        byte[]? maskBefore = null;
        if (cpu is { } number)
        {
            var before = new byte[MaskSize];
            var only = new byte[MaskSize];
            only[number / 8] = (byte)(1 << (number % 8));
            if (GetMask(before) && SetMask(only))
                maskBefore = before;
            else
                refused.Add($"cpu {number}: {Sys.Fail("sched_setaffinity")}");
        }
        var niceBefore = Nice();
        var changed = nice != niceBefore && LibC.setpriority(LibC.PriorityOfProcess, 0, nice) == 0;
        if (nice != niceBefore && !changed)
            refused.Add($"nice {nice}: {Sys.Fail("setpriority")}");
        return new ThreadPlacement(maskBefore, changed ? niceBefore : null, refused.ToImmutable());
    }

    public void Dispose()
    {
        if (niceBefore is { } nice && LibC.setpriority(LibC.PriorityOfProcess, 0, nice) != 0)
            Refused = Refused.Add($"back to nice {nice}: {Sys.Fail("setpriority")}");
        if (maskBefore is not null && !SetMask(maskBefore))
            Refused = Refused.Add($"back to all cpus: {Sys.Fail("sched_setaffinity")}");
    }

    private static bool GetMask(Span<byte> mask)
    {
        fixed (byte* start = mask)
            return LibC.sched_getaffinity(0, MaskSize, start) >= 0;
    }

    private static bool SetMask(ReadOnlySpan<byte> mask)
    {
        fixed (byte* start = mask)
            return LibC.sched_setaffinity(0, MaskSize, start) == 0;
    }

    private static List<int> CpusOf(ReadOnlySpan<byte> mask)
    {
        var cpus = new List<int>();
        for (var cpu = 0; cpu < CpuList.MaxCpus; cpu++)
        {
            if ((mask[cpu / 8] & (1 << (cpu % 8))) != 0)
                cpus.Add(cpu);
        }
        return cpus;
    }
}
