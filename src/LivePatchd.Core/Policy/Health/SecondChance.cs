// When a suspect may be tried again: after a pause, and from the second time on after soak.quarantine.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Policy.Health;

public static class SecondChance
{
    private static readonly TimeSpan AfterBoot = TimeSpan.FromHours(1);

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
        // Of another boot only the wall clock tells. One that went back asks for the whole pause from this boot on; one that went ahead looks
        // like a machine that was off, and brings the patch back no sooner than an hour after the boot.
        var left = now.Monotonic + (mark.At.Wall + pause - now.Wall);
        var sooner = pause < AfterBoot ? pause : AfterBoot;
        var at = left < sooner ? sooner : left > pause ? pause : left;
        return now.After(at - now.Monotonic);
    }
}
