// A terminal of 80 columns and 24 rows in tmux, and what a person would see on it.
namespace LivePatchd.Ctl.Tests;

/// <param name="Rows">As they stand on the screen, with what was scrolled away.</param>
/// <param name="Lines">The same with the terminal's own line breaks taken back.</param>
internal sealed record Screen(string[] Rows, string[] Lines);

internal sealed class Tmux : IDisposable
{
    private const string End = "[the end:";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    // A server of its own, ended by its socket.
    private readonly string _socket = Path.Combine(Directory.CreateTempSubdirectory("livepatchctl-tmux-").FullName, "s");
    private readonly string _address;

    public Tmux(string address) => _address = address;

    public static bool IsThere { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(static d => File.Exists(Path.Combine(d, "tmux")));

    /// <summary>Runs it to its end; its exit code is not asked for.</summary>
    public async Task<Screen> Show(params string[] arguments)
    {
        var quoted = string.Join(' ', Ctl.CommandLine.Concat(arguments).Select(static a => $"'{a}'"));
        await Ask("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-s", "t", "sh", "-c", $"{quoted}; echo '{End}' $?]; exec cat");
        using var limit = new CancellationTokenSource(Ctl.Limit);
        while (!(await Capture()).Any(static row => row.StartsWith(End, StringComparison.Ordinal)))
            await Task.Delay(Pause, limit.Token);
        var screen = new Screen(await Capture(), await Capture("-J"));
        await Ask("kill-session", "-t", "t");
        return screen;
    }

    public void Dispose()
    {
        // Nobody is there when the last session has ended.
        using var kill = Ctl.Launch(Ctl.Info(["tmux", "-S", _socket, "kill-server"], _address));
        kill.WaitForExit(Ctl.Limit);
    }

    private async Task<string[]> Capture(params string[] options) =>
        [.. (await Ask(["capture-pane", "-p", .. options, "-S", "-", "-t", "t"])).Split('\n').Select(static l => l.TrimEnd()).Where(static l => l.Length > 0)];

    private async Task<string> Ask(params string[] command)
    {
        var info = Ctl.Info(["tmux", "-u", "-S", _socket, .. command], _address);
        using var process = Ctl.Launch(info);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Ctl.Limit);
        await process.WaitForExitAsync(limit.Token);
        Assert.True(process.ExitCode == 0, await error);
        return await output;
    }
}
