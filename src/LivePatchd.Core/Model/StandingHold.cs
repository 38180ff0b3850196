// An operator's word that nothing is to be changed for now.
namespace LivePatchd.Core.Model;

/// <param name="Uid">Who said it.</param>
/// <param name="Until">Null: until it is taken back.</param>
public sealed record StandingHold(string Why, uint Uid, Instant Since, Instant? Until)
{
    public bool IsOver(Instant now) => Until is { } until && !now.IsBefore(until);
}
