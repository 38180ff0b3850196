// The errno values that this layer produces or tells apart (Linux generic numbers, the same on x86-64 and arm64).
namespace LivePatchd.Bus;

public static class BusErrno
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int Interrupted = 4;
    public const int InputOutput = 5;
    public const int TryAgain = 11;
    public const int AccessDenied = 13;
    public const int Exists = 17;
    public const int InvalidArgument = 22;
    public const int BrokenPipe = 32;
    public const int BadMessage = 74;
    public const int LibraryAccess = 79;
    public const int ConnectionReset = 104;
    public const int NotConnected = 107;
    public const int ShutDown = 108;
    public const int TimedOut = 110;
    public const int ConnectionRefused = 111;
    public const int AlreadyInProgress = 114;
    public const int NoMedium = 123;
    public const int Cancelled = 125;
}
