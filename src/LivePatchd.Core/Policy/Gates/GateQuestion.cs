// What the gates are asked with: one reading, what people and programs hold, and the marks.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy.Gates;

/// <param name="Until">Null: until somebody ends it.</param>
public sealed record OperatorHold(string Why, Instant? Until);

/// <param name="Who">The program, as it named itself.</param>
public sealed record Inhibitor(string Who, string Why);

/// <param name="Sample">Its moment is now.</param>
/// <param name="Fired">Triggers that fired since the last question.</param>
/// <param name="TriggersArmed">False: nobody rings when pressure rises, so what waits looks more often.</param>
/// <param name="Zones">The host's time zone database; null for a zone that it does not have.</param>
public sealed record GateQuestion(
    PressureSample Sample,
    ImmutableArray<PressureTrigger> Fired,
    bool TriggersArmed,
    ImmutableArray<OperatorHold> Holds,
    ImmutableArray<Inhibitor> Inhibitors,
    GateSettings Settings,
    Func<string, TimeZoneInfo?> Zones)
{
    public Instant Now => Sample.At;
}
