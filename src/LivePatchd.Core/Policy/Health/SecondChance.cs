// When a suspect may be tried again: after a pause, and from the second time on after soak.quarantine.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Policy.Health;

public static class SecondChance
{
    /// <summary>It was under suspicion once: held, not quarantined.</summary>
    public static bool IsHeld(QuarantineMark mark)
    {
        ArgumentNullException.ThrowIfNull(mark);
        return mark is { Grade: EvidenceGrade.Suspect, Count: 1 };
    }

    /// <summary>Null: not before somebody releases it.</summary>
    public static Instant? RetryAt(QuarantineMark mark, string bootId, Settings settings, Instant now)
    {
        ArgumentNullException.ThrowIfNull(mark);
        ArgumentNullException.ThrowIfNull(settings);
        if (mark.Grade is not EvidenceGrade.Suspect)
            return null;
        var pause = IsHeld(mark) ? RetryPolicy.Pause(1, settings.Transition) : settings.Soak.Quarantine;
        if (mark.BootId == bootId)
            return mark.At.After(pause);
        // Of another boot only the wall clock tells; one that went back asks for the whole pause again, and no more.
        var left = mark.At.Wall + pause - now.Wall;
        return now.After(left < TimeSpan.Zero ? TimeSpan.Zero : left > pause ? pause : left);
    }
}
