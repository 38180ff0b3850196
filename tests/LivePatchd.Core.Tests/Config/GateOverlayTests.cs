// A manifest may ask for more calm than the host, for less only when it is critical; the key is named.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Config;

public sealed class GateOverlayTests
{
    private static readonly MaintenanceWindow Night = new(WeekDays.All, new TimeOnly(1, 0), TimeSpan.FromHours(4), "UTC");

    private static readonly MaintenanceWindow Sunday = new(WeekDays.Sunday, new TimeOnly(0, 0), TimeSpan.FromHours(24), "UTC");

    private static readonly GateSettings Host = GateSettings.Default with { Windows = [Night], MinUptime = TimeSpan.FromMinutes(5) };

    public static TheoryData<string, GateOverrides, GateOverrides> Keys => new()
    {
        { "load.max-per-cpu", new() { LoadMaxPerCpuRatio = 1 }, new() { LoadMaxPerCpuRatio = 2 } },
        { "load.reopen-below", new() { LoadReopenBelowRatio = 0.5 }, new() { LoadReopenBelowRatio = 1.2 } },
        { "io-pressure.some-avg10", new() { IoSomeRatio = 0 }, new() { IoSomeRatio = 0.21 } },
        { "io-pressure.full-avg10", new() { IoFullRatio = 0.05 }, new() { IoFullRatio = 0.06 } },
        { "io-pressure.reopen-ratio", new() { IoReopenRatio = 0.4 }, new() { IoReopenRatio = 1 } },
        { "cpu-pressure.some-avg10", new() { CpuSomeRatio = 0.5 }, new() { CpuSomeRatio = 1 } },
        { "memory-pressure.full-avg10", new() { MemoryFullRatio = 0.01 }, new() { MemoryFullRatio = 0.5 } },
        { "network.max-retransmit-ratio", new() { RetransmitRatio = 0.01 }, new() { RetransmitRatio = 0.03 } },
        { "network.max-squeezes-per-second", new() { SqueezesPerSecond = 50 }, new() { SqueezesPerSecond = 101 } },
        { "windows", new() { Windows = [Sunday] }, new() { Windows = [] } },
        { "min-uptime", new() { MinUptime = TimeSpan.FromMinutes(6) }, new() { MinUptime = TimeSpan.Zero } },
        { "settle", new() { Settle = TimeSpan.FromMinutes(1) }, new() { Settle = TimeSpan.FromSeconds(29) } },
        { "unavailable", new() { Unavailable = WhenUnavailable.Hold }, new() { Unavailable = WhenUnavailable.Apply } },
    };

    [Theory]
    [MemberData(nameof(Keys))]
    public void Stricter_counts_and_looser_counts_in_a_critical_patch_only(string key, GateOverrides stricter, GateOverrides looser)
    {
        Assert.Null(GateOverlay.Looser(Manifest(stricter, Severity.High), Host));
        Assert.StartsWith($"gates.{key}: ", GateOverlay.Looser(Manifest(looser, Severity.High), Host), StringComparison.Ordinal);
        Assert.Equal(Host, GateOverlay.For(Manifest(looser, Severity.High), Host));
        Assert.Null(GateOverlay.Looser(Manifest(looser, Severity.Critical), Host));
        Assert.Equal(looser.Over(Host), GateOverlay.For(Manifest(looser, Severity.Critical), Host));
        Assert.NotEqual(Host, GateOverlay.For(Manifest(looser, Severity.Critical), Host));
    }

    [Fact]
    public void Windows_of_a_patch_are_asked_besides_those_of_the_host()
    {
        var gates = GateOverlay.For(Manifest(new() { Windows = [Sunday] }, Severity.Low), Host);
        Assert.Equal([Night], gates.Windows);
        Assert.Equal([Sunday], gates.PatchWindows);
        Assert.Empty(GateOverlay.For(Manifest(new() { Windows = [] }, Severity.Critical), Host).Windows);
    }

    [Fact]
    public void Without_a_word_about_gates_the_host_decides()
    {
        Assert.Same(Host, GateOverlay.For(null, Host));
        Assert.Same(Host, GateOverlay.For(Manifest(null, Severity.Critical), Host));
    }

    private static Manifest Manifest(GateOverrides? gates, Severity severity) =>
        new(null, null, [], null, [], severity, null, [], [], null, null, []) { Gates = gates };
}
