// The exit codes of the contract, one name each.
namespace LivePatchd.Ctl;

internal static class ExitCode
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int NotApplied = 3;
    public const int NoSuchPatch = 4;
    public const int Reversed = 5;
    public const int Refused = 6;
    public const int Unreachable = 69;
    public const int TryLater = 75;
    public const int NotAuthorised = 77;

    /// <summary>Ctrl-C during a wait, as shells count it.</summary>
    public const int Interrupted = 130;

    // `check` has its own meaning for some of the numbers.
    public const int CheckUnknown = 1;
    public const int CheckPending = 3;
    public const int CheckUnsupported = 4;
}
