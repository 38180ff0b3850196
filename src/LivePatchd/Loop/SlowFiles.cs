// Whether the thread that reads directories has been at it for too long: a disk or file server that hangs makes no error of its own.
using LivePatchd.Core.Model;
using LivePatchd.Log;

namespace LivePatchd.Loop;

/// <summary>On the loop's thread only.</summary>
internal sealed class SlowFiles(DaemonLog log)
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private Instant? busySince;

    /// <summary>Nothing new is seen until the thread is back.</summary>
    public bool IsStuck { get; private set; }

    /// <summary>When it will have been too long; null when it has, or nothing is read.</summary>
    public Instant? Due => IsStuck ? null : busySince?.After(Patience);

    /// <returns>True when <see cref="IsStuck"/> is another than before.</returns>
    public bool IsChanged(bool busy, Instant now)
    {
        busySince = busy ? busySince ?? now : null;
        var stuck = busySince is { } since && now.Since(since) >= Patience;
        if (stuck == IsStuck)
            return false;
        IsStuck = stuck;
        if (stuck)
            log.Problem(EventKind.StepFailed, $"Reading the directories has taken more than {Patience.TotalSeconds:F0} s and goes on; until it ends no file and no denial is seen", Reason.FilesStuck);
        else
            log.Note(EventKind.StepTaken, "The directories can be read again");
        return true;
    }
}
