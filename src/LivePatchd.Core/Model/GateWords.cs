// The word of each gate and of each unit, the same on the bus, in JSON and in metrics.
namespace LivePatchd.Core.Model;

public static class GateWords
{
    public static string Word(this Gate gate) => gate switch
    {
        Gate.Inhibitor => "inhibitor",
        Gate.Hold => "hold",
        Gate.Uptime => "uptime",
        Gate.Window => "window",
        Gate.Load => "load",
        Gate.IoPressure => "io-pressure",
        Gate.CpuPressure => "cpu-pressure",
        Gate.MemoryPressure => "memory-pressure",
        Gate.Network => "network",
        _ => throw new ArgumentOutOfRangeException(nameof(gate)),
    };

    public static string Word(this GateUnit unit) => unit switch
    {
        GateUnit.Share => "share",
        GateUnit.LoadPerCpu => "load-per-cpu",
        GateUnit.SqueezesPerSecond => "squeezes-per-second",
        _ => throw new ArgumentOutOfRangeException(nameof(unit)),
    };
}
