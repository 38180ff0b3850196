// How a run of the daemon ended, in the words that systemd gives to ExecStopPost= (SERVICE_RESULT, EXIT_CODE, EXIT_STATUS).
using System.Collections.Frozen;

namespace LivePatchd.Core.Recovery;

public static class RunEnd
{
    /// <summary>What is kept of it: one of the two.</summary>
    public static ReadOnlySpan<byte> FromOutside => "outside\n"u8;

    public static ReadOnlySpan<byte> Own => "own\n"u8;

    // A fault of the program itself, or its own abort. Who sends one of them by hand is taken for the program.
    private static readonly FrozenSet<string> Faults = new[] { "ABRT", "SEGV", "BUS", "ILL", "FPE", "SYS", "TRAP" }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>
    /// It was killed, and not for what it did: by the kernel for want of memory, or by a signal. Whoever can make the host run out of memory
    /// could otherwise have the daemon take itself for broken.
    /// </summary>
    public static bool IsFromOutside(string? result, string? code, string? status) => (result, code) switch
    {
        ("oom-kill", _) => true,
        ("signal", "killed") => status is { Length: > 0 } && !Faults.Contains(status),
        _ => false,
    };
}
