// One life of the daemon: from its start to its death at a failpoint, or to an orderly stop.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using LivePatchd.CrashHost;

namespace LivePatchd.EndToEnd.Tests.Crash;

internal sealed class CrashChild : IDisposable
{
    /// <summary>What a process killed by SIGKILL exits with, as .NET reports it.</summary>
    private const int Killed = 128 + 9;

    private readonly Process process;
    private readonly ConcurrentQueue<string> said = [];

    public CrashChild(HostArguments arguments)
    {
        // A native build of the host where there is one: it starts faster.
        var native = Environment.GetEnvironmentVariable("LIVEPATCHD_CRASH_HOST");
        var info = native is { Length: > 0 }
            ? new ProcessStartInfo(native, arguments.Line)
            : new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "LivePatchd.CrashHost.dll"), .. arguments.Line]);
        info.RedirectStandardError = true;
        info.Environment["DOTNET_TieredPGO"] = "0";
        process = Process.Start(info)!;
        process.ErrorDataReceived += (_, line) => said.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;

    /// <summary>Processor time so far.</summary>
    public TimeSpan Work
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    public bool HasEnded => process.HasExited;

    public string Said => string.Join('\n', said);

    /// <summary>True when a kill ended it; anything else is a bug of the daemon.</summary>
    public bool WasKilled => process.ExitCode == Killed;

    public int ExitCode => process.ExitCode;

    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public async Task Stop()
    {
        // Fails when a failpoint was quicker; its end is waited for either way.
        _ = await Tool.Run(["kill", "-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        using var limit = new CancellationTokenSource(Limit.Long);
        await process.WaitForExitAsync(limit.Token);
    }

    public void Dispose()
    {
        if (!process.HasExited)
            Kill();
        process.Dispose();
    }
}
