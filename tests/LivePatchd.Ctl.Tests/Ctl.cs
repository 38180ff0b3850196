// Runs the real livepatchctl as a process, with a time limit and no terminal.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace LivePatchd.Ctl.Tests;

internal sealed record CtlResult(int ExitCode, string Output, string Error)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Asserts the shape of every failure: the code, and one clean line on standard error.</summary>
    public CtlResult Failed(int exitCode, params string[] parts)
    {
        Assert.True(ExitCode == exitCode, $"exit {ExitCode}, expected {exitCode}; output: {Output}; error: {Error}");
        Assert.EndsWith("\n", Error, StringComparison.Ordinal);
        Assert.Single(Error.TrimEnd('\n').Split('\n'));
        Assert.DoesNotContain(Error.TrimEnd('\n'), char.IsControl);
        foreach (var part in parts)
            Assert.Contains(part, Error, StringComparison.Ordinal);
        return this;
    }

    public CtlResult Succeeded()
    {
        Assert.True(ExitCode == 0, $"exit {ExitCode}; output: {Output}; error: {Error}");
        return this;
    }
}

/// <summary>A livepatchctl that runs on while the test goes on.</summary>
internal sealed class RunningCtl : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _error;

    public RunningCtl(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not null)
                Lines.Enqueue(line.Data);
        };
        process.BeginOutputReadLine();
    }

    public ConcurrentQueue<string> Lines { get; } = [];

    public bool HasExited => _process.HasExited;

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit(Ctl.Limit);
    }

    public async Task<CtlResult> End()
    {
        using var expired = new CancellationTokenSource(Ctl.Limit);
        await _process.WaitForExitAsync(expired.Token);
        return new CtlResult(_process.ExitCode, string.Concat(Lines.Select(static l => l + "\n")), await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}

internal static class Ctl
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    // The published binary when there is one to test, else the build's.
    private static readonly string? Published = Environment.GetEnvironmentVariable("LIVEPATCHCTL_UNDER_TEST");

    public static string[] CommandLine => string.IsNullOrEmpty(Published) ? ["dotnet", Path.Combine(AppContext.BaseDirectory, "livepatchctl.dll")] : [Published!];

    public static CtlResult Run(string address, params string[] arguments)
    {
        using var running = Start(address, arguments);
        return running.End().GetAwaiter().GetResult();
    }

    public static RunningCtl Start(string address, params string[] arguments) =>
        new(Launch(Info([.. CommandLine, .. arguments], address)));

    public static ProcessStartInfo Info(string[] command, string address)
    {
        var info = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        info.Environment["LIVEPATCHD_BUS_ADDRESS"] = address;
        info.Environment["TERM"] = "xterm-256color";
        info.Environment["TZ"] = "Europe/Berlin";
        info.Environment.Remove("NO_COLOR");
        return info;
    }

    /// <param name="keepInput">`script` ends its terminal when its input ends.</param>
    public static Process Launch(ProcessStartInfo info, bool keepInput = false)
    {
        var process = Process.Start(info)!;
        if (!keepInput)
            process.StandardInput.Close();
        return process;
    }
}
