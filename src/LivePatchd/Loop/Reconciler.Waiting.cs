// The loop at rest: until when it sleeps, and what it does while nothing else happens.
using LivePatchd.Core.Model;

namespace LivePatchd.Loop;

internal sealed partial class Reconciler
{
    /// <summary>While nothing else happens: what opens or closes is shown at once, and the figures are kept fresh.</summary>
    private void ReadGates(Instant now)
    {
        lookDue = parts.Gates.Ask(now, configuration.Settings.Gates, desired);
        if (!lookDue && shown is not null)
            Published?.Invoke(shown = shown with { Gates = parts.Gates.View });
    }

    private void Wait()
    {
        var now = clock.Now();
        // What could not begin before something ends is not waited for: its end wakes the loop.
        var until = LoopWait.Earliest(
            wakeAt, files.IsBusy ? slow.Due : nextScan, descriptors.Due, IsAtRest ? rest.Due : null, blindly.Due, parts.Gates.NextReading, parts.Notifier.WatchdogInterval is { } dog ? now.After(dog / 3) : null)!.Value;
        wait.Until(until);
    }
}
