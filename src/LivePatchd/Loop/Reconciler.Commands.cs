// The loop's half of a request: carried out between two looks, at once or when the worker is free.
using System.Collections.Immutable;
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Store;

namespace LivePatchd.Loop;

internal sealed partial class Reconciler
{
    private static readonly TimeSpan BlindPause = TimeSpan.FromSeconds(1);

    private bool blind;

    private readonly List<(Command.Reload Asking, ImmutableArray<string> Errors)> reloaded = [];

    /// <summary>Why nothing is changed, whatever is wanted; null when the daemon acts.</summary>
    private Reason? Bar => journal.Bar ?? configuration.Bar ?? parts.Host.Bar(clock.Now());

    private bool Known(PatchName name) =>
        desired.Wanted.Any(w => w.Name == name) || desired.Refused.Any(r => r.Name == name)
        || journal.Ledger.Owned.ContainsKey(name) || lives.Lives.TryGetValue(name, out var life) && life.State is not PatchState.Reverted;

    /// <summary>Who asked for a reload hears of it when what is in force can be read, or could not be looked at: systemd waits as well.</summary>
    private void AnswerReloads()
    {
        foreach (var (reload, errors) in reloaded)
        {
            parts.Notifier.Ready();
            CommandDesk.Answer(reload, errors);
        }
        reloaded.Clear();
    }

    private void Carry(Command command, bool secondTry = false)
    {
        lookDue = true;
        switch (command)
        {
            case Command.Reload reload:
                parts.Notifier.Reloading((ulong)clock.Now().Monotonic.TotalMicroseconds);
                var metrics = configuration.Settings.Metrics;
                if (configuration.Load() && configuration.Settings.Metrics != metrics)
                    MetricsChanged?.Invoke();
                scanDue = true;
                // What the gates say from now on is by the new marks, and so is what is shown of them.
                parts.Gates.Rung(clock.Now());
                reloaded.Add((reload, configuration.Errors));
                break;
            case Command.Hold or Command.Unhold or Command.Inhibit:
                parts.Gates.Carry(command, clock.Now());
                break;
            case Command.Confirm confirm:
                trust.Confirm(confirm, Known(confirm.Name));
                break;
            case Command.Release asked:
                trust.Release(asked, Known(asked.Name));
                break;
            case Command.Force forced:
                force.Take(forced, clock.Now());
                break;
            case Command.Stage or Command.Unstage or Command.PlanFile when forFiles.Count >= JobTable.MaxOpen:
                (command as Command.Stage)?.Close();
                (command as Command.PlanFile)?.File.Dispose();
                command.Call?.ReplyError(BusErrors.LimitsExceeded, $"{JobTable.MaxOpen} requests are waiting");
                break;
            case Command.Stage { IsOwn: false } or Command.PlanFile { IsOwn: false }:
                if (descriptors.TryTake(command))
                    break;
                (command as Command.Stage)?.Close();
                (command as Command.PlanFile)?.File.Dispose();
                command.Call?.ReplyError(BusErrors.LimitsExceeded, $"{DescriptorDesk.MaxThreads} files are being read, or no thread is to be had");
                break;
            case Command.Stage or Command.Unstage or Command.PlanFile when files.IsBusy || (command is Command.Unstage or Command.PlanFile && scanDue):
                // The result wakes the loop, and then it is their turn.
                forFiles.Enqueue(command);
                break;
            case Command.Stage stage:
                var (directories, release) = (configuration.Settings.Directories, kernel.Release);
                files.Start(null, () => new WorkResult.Staged(stage, parts.Staging.Stage(stage.File, stage.FileName, stage.Beside, directories, release)));
                break;
            case Command.PlanFile asked:
                var (target, running, policy) = (StagingTarget, kernel.Release, configuration.Settings.Trust);
                files.Start(null, () =>
                {
                    var probed = parts.Probe.Judge(asked.File, asked.FileName, target, running, policy);
                    return new WorkResult.Probed(asked, probed, preflight.Read(probed.Patch is { } patch ? [patch.Module] : []));
                });
                break;
            case Command.Unstage unstage:
                var paths = desired.Wanted.Where(w => w.Name == unstage.Name).Select(w => w.Path)
                    .Concat(desired.Refused.Where(r => r.Name == unstage.Name).Select(r => r.Path)).Distinct().ToList();
                files.Start(null, () => new WorkResult.Unstaged(unstage, parts.Staging.Unstage(paths, configuration.Settings.Directories)));
                break;
            case Command.Apply apply when (apply.Downgrade || !Known(apply.Name) || desk.Quarantine(apply.Name, desired) is not null) && afterScan.Count < JobTable.MaxOpen && !secondTry:
                // Perhaps the file, or another build, was renamed into place a moment ago: the answer waits for one more scan.
                scanDue = true;
                afterScan.Add((apply, NextWholeScan));
                break;
            case Command.Apply apply when !Known(apply.Name):
                apply.Call?.ReplyError(BusErrors.NoSuchPatch, $"no patch {apply.Name}");
                break;
            default:
                // A request speaks of the directory as it is now, so its outcome waits for the next scan.
                scanDue = true;
                desk.Carry(command, parts.Kernel.Observe(Names()), desired, Bar, NextWholeScan);
                break;
        }
    }

    /// <summary>Where a staged file of this kernel comes to lie.</summary>
    private string StagingTarget => StagingArea.PathOf(
        configuration.Settings.Directories.FirstOrDefault(d => !d.ReadOnly) ?? configuration.Settings.Directories[0], kernel.Release);

    /// <summary>Number of the first scan that has not begun yet: one under way may have passed what is asked about.</summary>
    private long NextWholeScan => scans + (scanning ? 2 : 1);
}
