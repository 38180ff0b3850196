// Runs a program with a time limit: livepatchctl, busctl, the daemon's one-shot verbs.
using System.Diagnostics;

namespace LivePatchd.EndToEnd.Tests;

internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    public ToolResult Exits(int code)
    {
        Assert.True(ExitCode == code, $"exit {ExitCode}, expected {code}; output: {Output}; error: {Error}");
        return this;
    }
}

internal static class Tool
{
    public static string DaemonDll { get; } = Path.Combine(AppContext.BaseDirectory, "livepatchd.dll");

    // The published programs where they are named, else the build's: they start in a fifth of the time.
    private static readonly string[] CtlCommand = Environment.GetEnvironmentVariable("LIVEPATCHCTL_UNDER_TEST") is { Length: > 0 } published
        ? [published]
        : ["dotnet", Path.Combine(AppContext.BaseDirectory, "livepatchctl.dll")];

    public static Task<ToolResult> Ctl(TestHost host, params string[] arguments) =>
        Run([.. CtlCommand, .. arguments], ("LIVEPATCHD_BUS_ADDRESS", host.Bus.Address), ("NO_COLOR", "1"));

    public static Task<ToolResult> Daemon(params string[] arguments) => Run(["dotnet", DaemonDll, .. arguments]);

    public static bool Exists(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));

    public static async Task<ToolResult> Run(string[] command, params (string Name, string Value)[] environment)
    {
        var info = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        using var process = Process.Start(info)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        using var limit = new CancellationTokenSource(Limit.Long);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            Assert.Fail($"{string.Join(' ', command)} did not end");
        }
        return new ToolResult(process.ExitCode, await output, await error);
    }
}
