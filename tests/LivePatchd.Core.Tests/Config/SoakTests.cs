// The soak of the configuration and of a manifest: read, laid over each other, and refused where a manifest asks for too little.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Config;

public sealed class SoakTests
{
    private static readonly SoakSettings Host = SoakSettings.Default with { Checks = new SoakChecks(CheckWeight.Suspect, CheckWeight.Suspect, CheckWeight.Off, ["host.service"]) };

    private static Manifest With(SoakOverrides? soak) => new(null, null, [], null, [], Severity.Medium, null, [], [], null, null, []) { Soak = soak };

    [Fact]
    public void Without_a_manifest_or_a_soak_of_its_own_it_is_the_hosts()
    {
        Assert.Same(Host, SoakOverlay.For(null, Host, []));
        Assert.Same(Host, SoakOverlay.For(With(null), Host, []));
        Assert.Null(SoakOverlay.Looser(With(null), Host, []));
    }

    [Fact]
    public void For_LongerConfirmedAndChecksOfTheHost_IsFollowed()
    {
        var soak = For(new SoakOverrides { Duration = TimeSpan.FromHours(1), Confirm = SoakConfirm.Manual, Units = CheckWeight.Suspect, Commands = ["health.service", "host.service"] });
        Assert.Equal((TimeSpan.FromHours(1), SoakConfirm.Manual), (soak.Duration, soak.Confirm));
        Assert.Equal((CheckWeight.Suspect, CheckWeight.Suspect, CheckWeight.Suspect), (soak.Checks.Warnings, soak.Checks.Oops, soak.Checks.Units));
        Assert.Equal(["host.service", "health.service"], soak.Checks.Commands);
        Assert.Equal(["host.service"], For(new SoakOverrides { Commands = [] }).Checks.Commands);
        Assert.Equal(Host.Duration, For(new SoakOverrides { Units = CheckWeight.Off }).Duration);
    }

    public static TheoryData<SoakOverrides, string> Looser { get; } = new()
    {
        { new SoakOverrides { Commands = ["debug-shell.service"] }, "soak.checks.commands: debug-shell.service is neither" },
        { new SoakOverrides { Commands = ["health.service", "debug-shell.service"] }, "soak.checks.commands: debug-shell.service is neither" },
        { new SoakOverrides { Duration = TimeSpan.Zero }, "soak.duration: 0s is shorter than the host's 15m" },
        { new SoakOverrides { Duration = TimeSpan.FromMinutes(14) }, "soak.duration: 14m is shorter than the host's 15m" },
        { new SoakOverrides { Confirm = SoakConfirm.Automatic }, "soak.confirm: automatic is looser than the host's manual" },
    };

    [Theory]
    [MemberData(nameof(Looser))]
    public void Looser_WhatOnlyTheHostMayDecide_IsRefusedAndChangesNothing(SoakOverrides soak, string why)
    {
        var host = Host with { Confirm = SoakConfirm.Manual };
        Assert.StartsWith(why, SoakOverlay.Looser(With(soak), host, ["health.service"]), StringComparison.Ordinal);
        Assert.Same(host, SoakOverlay.For(With(soak), host, ["health.service"]));
    }

    private static SoakSettings For(SoakOverrides soak) => SoakOverlay.For(With(soak), Host, ["health.service"]);

    [Fact]
    public void No_check_of_the_host_is_switched_off_by_a_manifest()
    {
        var all = Host with { Checks = Host.Checks with { Units = CheckWeight.Suspect } };
        foreach (var (soak, key) in new[] { (new SoakOverrides { Warnings = CheckWeight.Report }, "warnings"), (new SoakOverrides { Oops = CheckWeight.Off }, "oops"), (new SoakOverrides { Units = CheckWeight.Report }, "units"), (new SoakOverrides { Pressure = CheckWeight.Off }, "pressure"), (new SoakOverrides { Coincidental = ["*"] }, "coincidental-units"), (new SoakOverrides { UnitUptime = TimeSpan.FromMinutes(11) }, "unit-uptime") })
        {
            var manifest = With(soak with { Duration = TimeSpan.Zero });
            Assert.StartsWith($"soak.checks.{key}: ", SoakOverlay.Looser(manifest, all, []), StringComparison.Ordinal);
            Assert.Same(all, SoakOverlay.For(manifest, all, []));
            Assert.Null(SoakOverlay.Looser(With(soak with { Warnings = CheckWeight.Suspect, Oops = CheckWeight.Attributed, Units = CheckWeight.Suspect, Pressure = CheckWeight.Report, Coincidental = [], UnitUptime = TimeSpan.Zero }), all, []));
        }
        Assert.Null(SoakOverlay.Looser(With(new SoakOverrides { Units = CheckWeight.Off }), Host, []));
    }
}
