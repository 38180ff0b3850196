// errno × kernel log × kernel facts → the one reason why the kernel refused a patch.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Core.Policy;

/// <param name="Reason">The closed reason.</param>
/// <param name="Detail">errno's name, and the kernel's own line where one decided it.</param>
public readonly record struct Failure(Reason Reason, string Detail);

public static class FailureClassifier
{
    // Phrases of kernel/livepatch/core.c, kernel/livepatch/patch.c and kernel/module/*.c that settle the matter whatever the errno.
    private static readonly ImmutableArray<(string Phrase, Reason Reason)> Phrases =
    [
        ("pre-patch callback failed", Reason.VetoedByCallback),
        ("not found in symbol table", Reason.SymbolNotFound),
        ("unresolvable ambiguity for symbol", Reason.SymbolAmbiguous),
        ("symbol position ", Reason.SymbolNotFound),
        ("failed to find location for function", Reason.FunctionNotTraceable),
        ("not compatible with the already installed livepatches", Reason.IncompatibleState),
        ("is not marked as a livepatch module", Reason.NotALivepatch),
        ("Loading of unsigned module is rejected", Reason.SignatureRequired),
        ("Loading of module with unavailable key is rejected", Reason.SignatureRequired),
        ("Lockdown:", Reason.LockedDown),
    ];

    // The module loader puts the module's name first, and other modules may load at the same time.
    private static readonly ImmutableArray<(string Phrase, Reason Reason)> OwnPhrases =
    [
        (": version magic", Reason.WrongKernel),
        (": Unknown symbol", Reason.UnknownSymbol),
        (": disagrees about version of symbol", Reason.ModuleFormatRefused),
    ];

    /// <param name="log">Kernel log lines written since the call began, oldest first.</param>
    /// <param name="facts">Read after the call.</param>
    /// <param name="preflight">What was read right before the call; null when nothing was.</param>
    /// <param name="transitionRunning">Some patch was in transition when the call was made.</param>
    public static Failure Load(PatchName name, Errno errno, IReadOnlyList<string> log, KernelFacts facts, bool transitionRunning, PreflightFacts? preflight = null)
    {
        // Both answer EBUSY and log the same failure to register with ftrace, so the sysctl decides first.
        if (errno is Errno.EBUSY && facts.FtraceEnabled == false)
            return new(Reason.FtraceDisabled, "EBUSY, kernel.ftrace_enabled=0");
        foreach (var line in log)
        {
            foreach (var (phrase, reason) in Phrases)
            {
                if (line.Contains(phrase, StringComparison.Ordinal))
                    return new(reason, $"{errno}: {line}");
            }
            foreach (var (phrase, reason) in OwnPhrases)
            {
                if (line.StartsWith(name.Value + phrase, StringComparison.Ordinal))
                    return new(reason, $"{errno}: {line}");
            }
        }
        var conflict = log.FirstOrDefault(l => l.Contains("failed to register ftrace handler", StringComparison.Ordinal));
        if (conflict is not null && errno is Errno.EBUSY)
            return new(Reason.FtraceConflict, $"{errno}: {conflict}{Holders(preflight)}");
        if (errno is Errno.EBUSY && !transitionRunning)
            return new(Reason.FtraceConflict, $"{errno}{(log.Count > 0 ? $": {log[^1]}" : "")}{Holders(preflight)}");
        // Without the kernel's log there is still what was read before the call.
        if (errno is Errno.EINVAL && log.Count == 0 && Symbol(preflight) is { } symbol)
            return new(Reason.SymbolNotFound, $"{errno}: {symbol}");
        return new(ByErrno(errno, facts, transitionRunning), log.Count > 0 ? $"{errno}: {log[^1]}" : errno.ToString());
    }

    /// <summary>Who shares the functions: not known to be in the way, but the only ones that can be.</summary>
    private static string Holders(PreflightFacts? preflight)
    {
        var holders = (preflight?.Trace.Functions ?? [])
            .Where(static f => f.IsDirect || f.IpModify)
            .Select(static f => $"{f.Name} ({f.Direct ?? f.Handler ?? "unnamed"})")
            .Take(4)
            .ToList();
        return holders.Count == 0 ? "" : $"; attached before: {string.Join(", ", holders)}";
    }

    private static string? Symbol(PreflightFacts? preflight) => preflight?.Symbols.Values
        .SelectMany(static s => s.Findings)
        .Select(static f => $"{f.Needed.Name} is there only as {string.Join(", ", f.Variants)}")
        .FirstOrDefault();

    private static Reason ByErrno(Errno errno, KernelFacts facts, bool transitionRunning) => errno switch
    {
        Errno.EPERM when facts.ModulesDisabled => Reason.ModulesDisabled,
        Errno.EPERM when facts.Lockdown != LockdownLevel.None => Reason.LockedDown,
        Errno.EPERM when !facts.CanLoadModules => Reason.NoPrivilege,
        Errno.EPERM or Errno.EACCES => Reason.NotPermitted,
        Errno.EKEYREJECTED or Errno.ENOKEY or Errno.EKEYEXPIRED or Errno.EKEYREVOKED => Reason.SignatureRequired,
        Errno.EBADMSG => Reason.SignatureInvalid,
        Errno.ENOEXEC => Reason.ModuleFormatRefused,
        Errno.EEXIST => Reason.NameInUse,
        Errno.EBUSY when transitionRunning => Reason.TransitionInProgress,
        Errno.ENOENT => Reason.UnknownSymbol,
        Errno.ENOMEM => Reason.OutOfMemory,
        Errno.ENOSYS => Reason.LivepatchAbsent,
        _ => Reason.KernelRefused,
    };
}
