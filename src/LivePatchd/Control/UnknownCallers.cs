// How many calls each connection has of which it is not known yet whose they are: a bound on what is kept before anybody can be counted by user.
namespace LivePatchd.Control;

/// <summary>All of them are more than one user can have open: the system bus gives a user 256 connections.</summary>
internal sealed class UnknownCallers() : OpenRequests<string>(MaxOfOne, MaxOfAll)
{
    public const int MaxOfOne = 32;
    public const int MaxOfAll = 9216;
}
