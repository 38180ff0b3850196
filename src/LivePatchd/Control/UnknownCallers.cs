// How many calls each connection has of which it is not known yet whose they are: a bound on what is kept before anybody can be counted by user.
namespace LivePatchd.Control;

/// <summary>
/// One user can have 8,192 open (the system bus gives it 256 connections), two users more than all. So a connection's first call is always let in:
/// it may be root's, and the bus bounds how many connections there are.
/// </summary>
internal sealed class UnknownCallers() : OpenRequests<string>(MaxOfOne, MaxOfAll, firstIsFree: true)
{
    public const int MaxOfOne = 32;
    public const int MaxOfAll = 9216;
}
