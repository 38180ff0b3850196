// How many unanswered requests each user other than root has: a bound on questions to polkit and on work that waits for the loop.
namespace LivePatchd.Control;

/// <summary>By user and not by connection: a user has as many connections as it likes.</summary>
internal sealed class UserRequests() : OpenRequests<uint>(MaxOfOne, MaxOfAll)
{
    public const int MaxOfOne = 8;
    public const int MaxOfAll = 64;
}
