// How each reason looks to programs: the journal's MESSAGE_ID, the tool's exit code, the D-Bus error.
using System.Security.Cryptography;
using System.Text;
using LivePatchd.Core.Policy.Gates;

namespace LivePatchd.Core.Model;

public static class ReasonSurface
{
    // The exit codes of the contract.
    public const int Failed = 1;
    public const int NotApplied = 3;
    public const int Reversed = 5;
    public const int Refused = 6;
    public const int Unreachable = 69;
    public const int TryLater = 75;

    /// <summary>128 bits in the form of the journal's field. Made of the word, which never changes, so that it never changes either.</summary>
    public static string MessageId(this Reason reason)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes("livepatchd reason " + reason.Word()), hash);
        var id = hash[..16];
        // A UUID of version 8: made by a rule of one's own.
        id[6] = (byte)((id[6] & 0x0F) | 0x80);
        id[8] = (byte)((id[8] & 0x3F) | 0x80);
        return Convert.ToHexStringLower(id);
    }

    /// <summary>Of `livepatchctl apply` when the patch ends up held, rejected or reversed for it.</summary>
    public static int ExitCode(this Reason reason) => reason switch
    {
        _ when IsEvidence(reason) => Refused,
        Reason.Fallback => Refused, // What was asked for was given up.
        Reason.BootNotComplete or Reason.Suspected => TryLater,
        Reason.BusUnavailable => Unreachable,
        Reason.AnotherInstance => Failed,
        Reason.TransitionStalled or Reason.AbortedUnderPressure or Reason.MadeWay or Reason.AttemptsExhausted => Reversed,
        _ when GateReasons.Contains(reason) => TryLater,
        _ => reason.Info().Kind switch
        {
            ReasonKind.Permanent => Refused,
            ReasonKind.Retryable => TryLater,
            _ => NotApplied, // What no waiting changes is not "later".
        },
    };

    /// <summary>Without the prefix that all of them have.</summary>
    public static string BusError(this Reason reason) => reason switch
    {
        _ when IsEvidence(reason) => "Quarantined",
        Reason.WrongKernel or Reason.WrongMachine => "WrongKernel",
        Reason.SignatureInvalid or Reason.SignatureRequired or Reason.LockedDown => "BadSignature",
        Reason.SignatureMissing or Reason.SignatureUntrusted or Reason.SignatureMismatch or Reason.DigestNotPinned or Reason.Denied or Reason.TrustUnavailable => "BadSignature",
        Reason.DuplicateName or Reason.NameInUse or Reason.LoadedByHand or Reason.ConflictingPatch => "NameConflict",
        Reason.TransitionInProgress or Reason.ModuleInUse or Reason.BusUnavailable or Reason.AnotherInstance => "Busy",
        Reason.TransitionOverdue or Reason.TransitionStalled or Reason.AttemptsExhausted or Reason.AbortedUnderPressure or Reason.MadeWay or Reason.NeverCompletes => "Stalled",
        Reason.NotPermitted or Reason.NoPrivilege => "NotAuthorized",
        Reason.DirectoryUnreadable or Reason.StoreUnavailable or Reason.JournalUnavailable => "Held",
        _ => reason.Info().Kind is ReasonKind.Permanent || reason is Reason.FileChanging ? "InvalidArgument" : "Held",
    };

    /// <summary>What a digest is quarantined for.</summary>
    private static bool IsEvidence(Reason reason) => reason is
        Reason.KernelOops or Reason.KernelWarning or Reason.KernelTainted or Reason.KernelLockup or Reason.UnitsFailed or Reason.PressureNotBack
        or Reason.HealthCheckFailed or Reason.HostCrashed or Reason.RebootToLeave;
}
