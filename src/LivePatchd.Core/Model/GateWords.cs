// The word of each gate, the same on the bus, in JSON and in metrics.
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
}
