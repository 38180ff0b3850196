// The configuration in force: replaced by one without errors, kept otherwise, and never stronger than a kill switch.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Config;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class ConfigurationTests : IDisposable
{
    private const string File = "/etc/livepatchd/livepatchd.yaml";

    private readonly Bench bench = new();

    public void Dispose() => bench.Dispose();

    private Configuration Made(KillSwitch? killSwitch = null, bool allow = true) =>
        new(bench.Root, killSwitch ?? KillSwitch.None, bench.Log, bench.Meter.Instruments) { AllowActionsUnderRoot = allow };

    [Fact]
    public void Load_NoFile_DefaultsInForce()
    {
        var configuration = Made();
        Assert.Equal(Reason.ConfigInvalid, configuration.Bar);
        Assert.True(configuration.Load());
        Assert.Equal((1ul, null, "apply"), (configuration.Generation, configuration.Bar, configuration.Mode));
        Assert.Equal(Settings.Default.Transition, configuration.Settings.Transition);
    }

    [Fact]
    public void Load_FirstOneHasErrors_NothingIsApplied()
    {
        bench.Files.Write(File, "mode: perhaps\n");
        var configuration = Made();
        Assert.False(configuration.Load());
        Assert.Equal((0ul, Reason.ConfigInvalid), (configuration.Generation, configuration.Bar));
        Assert.Contains("mode", Assert.Single(configuration.Errors), StringComparison.Ordinal);
        Assert.Equal(0, bench.Meter.Value("livepatchd_config_last_reload_successful"));
    }

    [Fact]
    public void Load_ReloadHasErrors_TheOneInForceStays()
    {
        bench.Files.Write(File, "transition: {attempts: 2}\n");
        var configuration = Made();
        Assert.True(configuration.Load());
        bench.Files.Write(File, "transition: {attempts: 3}\nmode: perhaps\n");
        Assert.False(configuration.Load());
        Assert.Equal((1ul, 2), (configuration.Generation, configuration.Settings.Transition.Attempts));
        Assert.NotEmpty(configuration.Errors);
        Assert.Null(configuration.Bar);
        bench.Files.Write(File, "transition: {attempts: 3}\n");
        Assert.True(configuration.Load());
        Assert.Equal((2ul, 3), (configuration.Generation, configuration.Settings.Transition.Attempts));
        Assert.Empty(configuration.Errors);
        Assert.Equal(1, bench.Meter.Value("livepatchd_config_last_reload_successful"));
    }

    [Fact]
    public void Bar_ObserveMode_Barred()
    {
        bench.Files.Write(File, "mode: observe\n");
        var configuration = Made();
        Assert.True(configuration.Load());
        Assert.Equal((Reason.ObserveMode, "observe"), (configuration.Bar, configuration.Mode));
    }

    [Theory]
    [InlineData(KillSwitchLevel.Observe, "observe")]
    [InlineData(KillSwitchLevel.Off, "off")]
    public void Bar_KillSwitch_StrongerThanTheFile(KillSwitchLevel level, string mode)
    {
        bench.Files.Write(File, "mode: apply\n");
        var configuration = Made(new KillSwitch(level, "the kernel command line"));
        Assert.True(configuration.Load());
        Assert.Equal((Reason.Disabled, mode), (configuration.Bar, configuration.Mode));
    }

    [Fact]
    public void Bar_RootThatIsNotTheHosts_OnlyObserves()
    {
        var configuration = Made(allow: false);
        Assert.True(configuration.Load());
        Assert.Equal(Reason.ObserveMode, configuration.Bar);
    }

    [Fact]
    public void Origins_KeySet_NamesItsFile()
    {
        bench.Files.Write(File, "transition: {attempts: 2}\n");
        var configuration = Made();
        configuration.Load();
        Assert.Contains(configuration.Origins, o => o.ToString().Contains("livepatchd.yaml", StringComparison.Ordinal));
    }
}
