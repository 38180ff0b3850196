// A private bus for each test, and the fake daemon on it.
using LivePatchd.Bus.Tests;

namespace LivePatchd.Ctl.Tests;

public abstract class CtlTest : IDisposable
{
    private readonly List<FakeDaemon> _daemons = [];

    internal TestBus Bus { get; } = new();

    internal static string Digest { get; } = string.Concat(Enumerable.Repeat("0123456789abcdef", 4));

    internal static string LongName { get; } = "lp_" + new string('x', 52);

    public void Dispose()
    {
        _daemons.ForEach(static d => d.Dispose());
        Bus.Dispose();
        GC.SuppressFinalize(this);
    }

    internal FakeDaemon Serve(params FakePatch[] patches)
    {
        var daemon = new FakeDaemon(Bus, patches);
        _daemons.Add(daemon);
        return daemon;
    }

    internal CtlResult Run(params string[] arguments) => Ctl.Run(Bus.Address, arguments);

    internal RunningCtl Start(params string[] arguments) => Ctl.Start(Bus.Address, arguments);

    internal RunningCtl OnTerminal(params string[] arguments) => OnTerminal([], arguments);

    /// <summary>On a pseudo-terminal; COLS is its width.</summary>
    internal RunningCtl OnTerminal((string Name, string Value)[] environment, params string[] arguments)
    {
        var quoted = string.Join(' ', Ctl.CommandLine.Concat(arguments).Select(static a => $"'{a}'"));
        var info = Ctl.Info(["script", "--quiet", "--return", "--command", $"stty cols ${{COLS:-80}} rows 24; exec {quoted}", "/dev/null"], Bus.Address);
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        return new RunningCtl(Ctl.Launch(info, keepInput: true));
    }
}
