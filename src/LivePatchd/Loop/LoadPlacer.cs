// Makes the call that loads a module where and how it hurts least: file read ahead, quiet CPU, niced; then all as before.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Linux.Placement;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Loop;

/// <summary>Used on the worker's thread only, but for the first reading and the news.</summary>
internal sealed class LoadPlacer
{
    private readonly CpuReader cpus;
    private string? last;

    public LoadPlacer(CpuReader cpus)
    {
        this.cpus = cpus;
        // What the first load is compared with.
        cpus.Read();
    }

    /// <summary>Where the last load was made, and what was refused on the way; null when it was told. A log line is I/O, too: not in the call's way.</summary>
    public string? TakeNews() => Interlocked.Exchange(ref last, null);

    public SysResult Run(PlacementSettings settings, SafeFileHandle module, Func<SysResult> load)
    {
        var preread = FilePreread.Run(module);
        var choice = LoadCpu.Choose(settings, cpus.Read());
        var placed = ThreadPlacement.Apply(choice.Cpu, settings.Nice);
        SysResult result;
        try
        {
            result = load();
        }
        finally
        {
            placed.Dispose();
        }
        var where = choice.Cpu is { } cpu ? $"on cpu {cpu}" : "on no particular cpu";
        var ahead = preread.IsOk ? "" : $"; not read ahead: {preread.WithoutValue}";
        var refused = placed.Refused.IsEmpty ? "" : $"; refused: {string.Join(", ", placed.Refused)}";
        last = $"Loaded {where}: {choice.Why}{ahead}{refused}";
        return result;
    }
}
