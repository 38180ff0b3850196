// Makes the call that loads a module where and how it hurts least: file read ahead, quiet CPU, niced; then all as before.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Linux.Placement;
using LivePatchd.Log;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Loop;

/// <summary>Used on the worker's thread only, but for the first reading.</summary>
internal sealed class LoadPlacer
{
    private readonly CpuReader cpus;
    private readonly DaemonLog log;

    public LoadPlacer(CpuReader cpus, DaemonLog log)
    {
        this.cpus = cpus;
        this.log = log;
        // What the first load is compared with.
        cpus.Read();
    }

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
        // After the call: a log line is I/O, too.
        var where = choice.Cpu is { } cpu ? $"on cpu {cpu}" : "on no particular cpu";
        var ahead = preread.IsOk ? "" : $"; not read ahead: {preread.WithoutValue}";
        var refused = placed.Refused.IsEmpty ? "" : $"; refused: {string.Join(", ", placed.Refused)}";
        log.Note(EventKind.Placed, $"Loaded {where}: {choice.Why}{ahead}{refused}");
        return result;
    }
}
