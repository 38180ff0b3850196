// A machine whose counters a test drives second by second, asked at its gates.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Gates;

namespace LivePatchd.Core.Tests.Policy.Gates;

internal sealed class Machine
{
    private readonly double[] stalls = new double[6];
    private TimeSpan up = TimeSpan.FromHours(2);
    private GateMemory memory = GateMemory.Empty;

    public GateSettings Settings { get; set; } = GateSettings.Default;

    public DateTimeOffset Wall { get; set; } = new(2026, 3, 4, 12, 0, 0, TimeSpan.Zero);

    public double? Load { get; set; } = 0.1;

    public ulong Sent { get; set; }

    public ulong Again { get; set; }

    public ulong? Squeezes { get; set; } = 0;

    public bool HasPsi { get; set; } = true;

    public bool HasTcp { get; set; } = true;

    public int Cpus { get; set; } = 4;

    public bool TriggersArmed { get; set; } = true;

    public ImmutableArray<PressureTrigger> Fired { get; set; } = [];

    public ImmutableArray<OperatorHold> Holds { get; set; } = [];

    public ImmutableArray<Inhibitor> Inhibitors { get; set; } = [];

    public int Kept => memory.History.Length;

    public Instant Now => new(up, Wall);

    public PressureSample Sample => new(
        Now,
        HasPsi ? new(Line(0), Line(1)) : null,
        HasPsi ? new(Line(2), Line(3)) : null,
        HasPsi ? new(Line(4), Line(5)) : null,
        Load,
        OnlineCpus: Cpus,
        HasTcp ? new TcpCounters(Sent, Again) : null,
        Squeezes,
        OopsCount: null,
        WarnCount: null)
    {
        PsiOff = PsiOff,
    };

    /// <summary>The kernel keeps no pressure figures.</summary>
    public bool PsiOff { get; init; }

    /// <summary>Time passes with these shares of stall.</summary>
    public Machine Run(double seconds, double ioSome = 0, double ioFull = 0, double cpuSome = 0, double memoryFull = 0)
    {
        up += TimeSpan.FromSeconds(seconds);
        Wall += TimeSpan.FromSeconds(seconds);
        foreach (var (line, share) in new[] { (0, ioSome), (1, ioFull), (2, cpuSome), (5, memoryFull) })
            stalls[line] += seconds * share;
        return this;
    }

    public GateBoard Ask()
    {
        (memory, var board) = Gatekeeper.Ask(memory, new GateQuestion(
            Sample, Fired, TriggersArmed, Holds, Inhibitors, Settings, id => TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : null));
        Fired = [];
        return board;
    }

    /// <summary>Asked every ten seconds of calm for two minutes: every gate is open and settled.</summary>
    public Machine Settled()
    {
        for (var i = 0; i < 12; i++)
            Run(10).Ask();
        Assert.True(Run(10).Ask().Open);
        return this;
    }

    private PsiLine Line(int index) => new(0.01, 0.02, 0.03, TimeSpan.FromSeconds(stalls[index]));
}

internal static class BoardExtensions
{
    public static GateState Of(this GateBoard board, Gate gate) => board.Gates.Single(g => g.Gate == gate);
}
