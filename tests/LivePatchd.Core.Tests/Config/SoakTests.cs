// The soak of the configuration and of a manifest: read, laid over each other, and refused where a manifest asks for too little.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Config;

public sealed class SoakTests
{
    private static readonly SoakSettings Host = SoakSettings.Default with { Checks = new SoakChecks(true, true, false, ["host.service"]) };

    private static Manifest With(SoakOverrides? soak) => new(null, null, [], null, [], Severity.Medium, null, [], [], null, null, []) { Soak = soak };

    [Fact]
    public void Without_a_manifest_or_a_soak_of_its_own_it_is_the_hosts()
    {
        Assert.Same(Host, SoakOverlay.For(null, Host));
        Assert.Same(Host, SoakOverlay.For(With(null), Host));
        Assert.Null(SoakOverlay.Looser(With(null), Host));
    }

    [Fact]
    public void Its_author_decides_how_long_and_who_confirms_and_adds_checks()
    {
        var soak = SoakOverlay.For(With(new SoakOverrides { Duration = TimeSpan.FromMinutes(1), Confirm = SoakConfirm.Manual, Units = true, Commands = ["own.service", "host.service"] }), Host);
        Assert.Equal((TimeSpan.FromMinutes(1), SoakConfirm.Manual), (soak.Duration, soak.Confirm));
        Assert.Equal((true, true, true), (soak.Checks.Warnings, soak.Checks.Oops, soak.Checks.Units));
        Assert.Equal(["host.service", "own.service"], soak.Checks.Commands);
        Assert.Equal(["host.service"], SoakOverlay.For(With(new SoakOverrides { Commands = [] }), Host).Checks.Commands);
        Assert.Equal(Host.Duration, SoakOverlay.For(With(new SoakOverrides { Units = false }), Host).Duration);
    }

    [Fact]
    public void No_check_of_the_host_is_switched_off_by_a_manifest()
    {
        var all = Host with { Checks = Host.Checks with { Units = true } };
        foreach (var (soak, key) in new[] { (new SoakOverrides { Warnings = false }, "warnings"), (new SoakOverrides { Oops = false }, "oops"), (new SoakOverrides { Units = false }, "units") })
        {
            var manifest = With(soak with { Duration = TimeSpan.Zero });
            Assert.StartsWith($"soak.checks.{key}: ", SoakOverlay.Looser(manifest, all), StringComparison.Ordinal);
            Assert.Same(all, SoakOverlay.For(manifest, all));
            Assert.Null(SoakOverlay.Looser(With(soak with { Warnings = true, Oops = true, Units = true }), all));
        }
        Assert.Null(SoakOverlay.Looser(With(new SoakOverrides { Units = false }), Host));
    }
}
