// The configuration in force: loaded at start, replaced by a reload that has no errors, kept otherwise.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux;
using LivePatchd.Linux.Config;
using LivePatchd.Log;
using LivePatchd.Metrics;

namespace LivePatchd.Loop;

internal sealed class Configuration(SystemRoot root, KillSwitch killSwitch, DaemonLog log, DaemonMeter meter)
{
    public Settings Settings { get; private set; } = Settings.Default;

    /// <summary>Every key in force with its value and where it was written; readable from any thread.</summary>
    public ImmutableArray<ConfigOrigin> Origins { get; private set; } = SettingsBuilder.Build([]).Origins;

    public ulong Generation { get; private set; }

    /// <summary>Errors of the last load; empty when what is on disk is in force.</summary>
    public ImmutableArray<string> Errors { get; private set; } = [];

    /// <summary>off, observe or apply: the kill switch is stronger than the configuration.</summary>
    public string Mode => killSwitch.Level switch
    {
        KillSwitchLevel.Off => "off",
        KillSwitchLevel.Observe => "observe",
        _ => Settings.Mode is DaemonMode.Observe ? "observe" : "apply",
    };

    public Reason? Bar => Bars.FirstOrDefault()?.Reason;

    /// <summary>Everything here that keeps the daemon from changing the kernel, the strongest first.</summary>
    public ImmutableArray<HostCondition> Bars
    {
        get
        {
            var bars = ImmutableArray.CreateBuilder<HostCondition>();
            if (killSwitch.Level is not KillSwitchLevel.None)
                bars.Add(new(Reason.Disabled, killSwitch.Source));
            if (Settings.Mode is DaemonMode.Observe || !root.IsReal && !AllowActionsUnderRoot)
                bars.Add(new(Reason.ObserveMode, root.IsReal || AllowActionsUnderRoot ? "mode: observe" : "--root"));
            if (Generation == 0)
                bars.Add(new(Reason.ConfigInvalid, Errors.IsEmpty ? "" : $"{Errors[0]}{(Errors.Length > 1 ? $" (and {Errors.Length - 1} more)" : "")}"));
            return bars.ToImmutable();
        }
    }

    /// <summary>For tests that bring a kernel of their own under a root of their own.</summary>
    public bool AllowActionsUnderRoot { get; init; }

    /// <summary>False when it has errors: the last good one stays in force; before the first good one nothing is applied.</summary>
    public bool Load()
    {
        var result = ConfigLoader.Load(root);
        Errors = [.. result.Errors.Select(e => e.ToString())];
        foreach (var error in result.Errors)
            log.Problem(EventKind.ConfigProblem, error.ToString());
        foreach (var warning in result.Warnings)
            log.Problem(EventKind.ConfigProblem, warning.ToString());
        meter.ConfigLoaded(result.Errors.IsEmpty);
        if (!result.Errors.IsEmpty)
            return false;
        Settings = result.Settings;
        Origins = result.Origins;
        Generation++;
        log.Note(EventKind.ConfigLoaded, $"Configuration {Generation} in force: mode {Mode}, {Settings.Directories.Length} watched directories");
        return true;
    }
}
