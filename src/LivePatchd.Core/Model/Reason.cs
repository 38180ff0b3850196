// Every reason the daemon can give, once: the enum. Words, sentences and next steps are in ReasonTable.
namespace LivePatchd.Core.Model;

public enum Reason
{
    // The file itself.
    UnreadableFile,
    NotARegularFile,
    UnsafeOwner,
    UnsafePermissions,
    HardLinkedFile,
    FileTooLarge,
    FileChanging,
    BadFileName,
    NotAnElfFile,
    TruncatedFile,
    MalformedModule,
    WrongMachine,
    NotALivepatch,
    WrongKernel,
    CorruptCompression,
    DecompressedTooLarge,
    DuplicateName,

    // The manifest.
    InvalidManifest,
    ManifestMismatch,
    ManifestNotInForce,
    NotYetValid,
    Expired,

    // Trust.
    TrustUnavailable,
    UnusableTrustFile,
    SignatureMissing,
    SignatureUntrusted,
    SignatureMismatch,
    DigestNotPinned,
    Denied,
    Rollback,
    MixedSets,
    FastForward,
    ConflictingPatch,

    // What the kernel said, or is predicted to say.
    SymbolNotFound,
    SymbolAmbiguous,
    FunctionNotTraceable,
    UnknownSymbol,
    SignatureRequired,
    SignatureInvalid,
    LockedDown,
    ModulesDisabled,
    FtraceDisabled,
    FtraceConflict,
    TransitionInProgress,
    NameInUse,
    VetoedByCallback,
    IncompatibleState,
    ModuleFormatRefused,
    OutOfMemory,
    NotPermitted,
    KernelRefused,

    // What is foreseen before the kernel is asked, and what shows only afterwards.
    ObjectNeverMatches,
    DependencyNotLoaded,
    MemoryLow,
    DiskSpaceLow,
    TargetModuleRefused,
    ObjectNotPatched,

    // Policy and people.
    ObserveMode,
    Disabled,
    RevertedByOperator,
    RemovedFromDirectory,
    NewVersion,
    Fallback,
    ReplacedByNewer,
    DisabledByHand,
    LoadedByHand,
    UnsupportedLivepatch,
    ReplacedByForeign,
    DirectoryUnreadable,
    ModuleInUse,
    RevertRefused,
    TransitionOverdue,
    TransitionStalled,
    AttemptsExhausted,
    AbortedUnderPressure,
    MadeWay,
    NeverCompletes,
    ForcedUntilReboot,
    WaitingForOthers,

    // The gates.
    LoadTooHigh,
    IoPressure,
    CpuPressure,
    MemoryPressure,
    NetworkPressure,
    OutsideWindow,
    UptimeTooShort,
    OperatorHold,
    Inhibited,
    GatesSettling,
    GateUnavailable,
    DeferralExhausted,

    // Health and probation.
    KernelOops,
    KernelWarning,
    KernelTainted,
    KernelLockup,
    UnitsFailed,
    PressureNotBack,
    HealthCheckFailed,
    NotConfirmed,
    HostCrashed,
    Suspected,
    RebootToLeave,
    BootNotComplete,
    BootStuck,

    // The host.
    LivepatchAbsent,
    NoPrivilege,
    StoreUnavailable,
    JournalUnavailable,
    JournalUnreadable,
    JournalNewer,
    ConfigInvalid,
    ConfigRefused,
    CrashLoop,
    BusUnavailable,
    FilesStuck,
    WatchUnavailable,
    AnotherInstance,
}

/// <summary>What the daemon does about it.</summary>
public enum ReasonKind
{
    /// <summary>Nothing to be done by waiting: the same bytes on the same boot fail again. Not retried until the file or the boot changes, or somebody asks.</summary>
    Permanent,

    /// <summary>May pass by itself: tried again with growing pauses, at once when its cause is seen to go.</summary>
    Retryable,

    /// <summary>Not a failure: why the patch is where it is.</summary>
    Informative,
}

/// <param name="Word">Kebab-case; never changes once released.</param>
/// <param name="Sentence">What happened, one sentence.</param>
/// <param name="NextStep">What a person does now, one sentence.</param>
public sealed record ReasonInfo(Reason Reason, string Word, ReasonKind Kind, string Sentence, string NextStep);
