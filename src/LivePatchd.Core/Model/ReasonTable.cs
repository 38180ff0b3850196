// The table of reasons: word, kind, sentence and next step of each; docs/reasons.md is generated from it.
// Longer than most files because a closed list is easiest to check when it stands in one place.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

public static class ReasonTable
{
    public static ImmutableArray<ReasonInfo> All { get; } =
    [
        P(Reason.UnreadableFile, "unreadable-file", "The file could not be read.", "Read the error in `livepatchctl show NAME` and check the disk and the file's permissions."),
        P(Reason.NotARegularFile, "not-a-regular-file", "The entry is a symbolic link, directory, FIFO, device or socket.", "Put the module itself into the directory: copy to a temporary name there, then rename."),
        P(Reason.UnsafeOwner, "unsafe-owner", "The file or a directory above it is not owned by root.", "chown root the file and every directory above it."),
        P(Reason.UnsafePermissions, "unsafe-permissions", "The file or a directory above it can be written by group or others.", "chmod go-w the file and every directory above it."),
        P(Reason.HardLinkedFile, "hard-linked-file", "The file has more than one name, so somebody else may hold it.", "Copy the file instead of linking it."),
        P(Reason.FileTooLarge, "file-too-large", "The file is empty or larger than the limit of 64 MiB.", "Check that it is a livepatch module; strip its debug information."),
        R(Reason.FileChanging, "file-changing", "The file changed while it was being read.", "Write to a temporary name, then rename it into place."),
        P(Reason.BadFileName, "bad-file-name", "The file name is not NAME.ko, NAME.ko.xz, NAME.ko.zst or NAME.ko.gz of plain characters.", "Rename the file."),
        P(Reason.NotAnElfFile, "not-an-elf-file", "The file is not a 64-bit ELF relocatable object.", "Check that the file is a kernel module and was copied whole."),
        P(Reason.TruncatedFile, "truncated-file", "The ELF file refers to bytes beyond its end.", "Copy the file again; compare its sha256 with the builder's."),
        P(Reason.MalformedModule, "malformed-module", "The ELF file lacks .modinfo or the module structure, or they make no sense.", "Build the module again; `livepatchctl show NAME` tells which part is missing."),
        P(Reason.WrongMachine, "wrong-machine", "The module was built for another processor architecture.", "Install the build for this machine."),
        P(Reason.NotALivepatch, "not-a-livepatch", "The module does not carry livepatch=Y.", "Load ordinary modules with modprobe; put only livepatches here."),
        P(Reason.WrongKernel, "wrong-kernel", "The module was built for another kernel release than the running one.", "Install the build for this kernel, or keep it in the other release's directory."),
        P(Reason.CorruptCompression, "corrupt-compression", "The compressed file could not be decompressed.", "Copy or compress the file again."),
        P(Reason.DecompressedTooLarge, "decompressed-too-large", "The module is larger than 64 MiB once decompressed.", "Check that it is a livepatch module; strip its debug information."),
        P(Reason.DuplicateName, "duplicate-name", "Two files hold different modules of the same name.", "Take one of the files out."),

        P(Reason.InvalidManifest, "invalid-manifest", "The manifest beside the file has an error.", "Correct the line that `livepatchctl show NAME` names, or take the manifest out."),
        P(Reason.ManifestMismatch, "manifest-mismatch", "The manifest's name, kernels or sha256 do not match the module.", "Install the manifest that belongs to this build."),
        P(Reason.ManifestNotInForce, "manifest-not-in-force", "The manifest asks for something this version does not do.", "Take the key out of the manifest, or upgrade livepatchd."),
        R(Reason.NotYetValid, "not-yet-valid", "The manifest's not-before lies in the future.", "Wait."),
        P(Reason.Expired, "expired", "The manifest's not-after has passed.", "Install a newer patch."),

        P(Reason.TrustUnavailable, "trust-unavailable", "The certificates, the deny list or the owner that trust is decided by cannot be read, so nothing is loaded.", "`livepatchctl show NAME` names what is missing; it must belong to root and be writable by root alone."),
        P(Reason.UnusableTrustFile, "unusable-trust-file", "A file among the certificates or the denials is not what belongs there; it has no effect.", "Certificates are PEM or DER with an RSA key of 2048 bits or more or an EC key; denials are empty files named by a SHA-256."),
        P(Reason.SignatureMissing, "signature-missing", "trust.require asks for a signature that is not there.", "Sign the module, or put the signed manifest NAME.yaml and NAME.yaml.p7s beside it."),
        P(Reason.SignatureUntrusted, "signature-untrusted", "None of the signers has a certificate in trust.certificates.", "If the signer is to be trusted, put the certificate there."),
        P(Reason.SignatureMismatch, "signature-mismatch", "The signature was not made over these bytes, is damaged, or is of a kind that is not accepted.", "Fetch module, manifest and signature again, together."),
        P(Reason.DigestNotPinned, "digest-not-pinned", "The signed manifest does not name the module's sha256, so its signature says nothing of the module.", "Ask the patch's author for a manifest with sha256."),
        P(Reason.Denied, "denied", "The patch's digest is in /etc/livepatchd/deny.d.", "Install another build; if the denial is a mistake, remove its file."),
        P(Reason.Rollback, "rollback", "A newer patch of this stream was active on this host.", "Install the newest patch; `livepatchctl apply --downgrade NAME` goes back on purpose."),
        P(Reason.MixedSets, "mixed-sets", "Another wanted patch of this stream is of a newer set.", "Install all patches of the stream from one set, or take the older file out."),
        P(Reason.FastForward, "fast-forward", "The manifest's sequence is too far ahead of what was last active.", "Ask the patch's author; a stream that really jumped needs a new name or a new key."),
        I(Reason.ConflictingPatch, "conflicting-patch", "A manifest says that this patch and another one that is wanted or loaded exclude each other.", "Take one of the two out of the directory, or revert it."),

        P(Reason.SymbolNotFound, "symbol-not-found", "A function or symbol that the patch names is not in the running kernel.", "Build the patch against exactly this kernel; the kernel log names the symbol."),
        P(Reason.SymbolAmbiguous, "symbol-ambiguous", "A symbol name occurs more than once and the patch does not say which is meant.", "Build the patch with the symbol's position (sympos)."),
        P(Reason.FunctionNotTraceable, "function-not-traceable", "A function of the patch has no ftrace location.", "The function cannot be livepatched; patch its callers."),
        P(Reason.UnknownSymbol, "unknown-symbol", "The module needs a symbol that no loaded module exports.", "Load the module it depends on, then `livepatchctl apply NAME`."),
        P(Reason.SignatureRequired, "signature-required", "The kernel accepts signed modules only, and this one is unsigned or signed by an unknown key.", "Sign the module with a key that the kernel trusts."),
        P(Reason.SignatureInvalid, "signature-invalid", "The module's signature is damaged.", "Copy the file again; compare its sha256 with the builder's."),
        P(Reason.LockedDown, "locked-down", "Kernel lockdown refuses modules without a trusted signature.", "Sign the module with a key that the kernel trusts."),
        R(Reason.ModulesDisabled, "modules-disabled", "kernel.modules_disabled is set: no module can be loaded or removed until reboot; a patch that was reverted is out of use, and its module stays.", "Reboot without the setting."),
        R(Reason.FtraceDisabled, "ftrace-disabled", "kernel.ftrace_enabled is 0, and livepatch works through ftrace.", "sysctl kernel.ftrace_enabled=1"),
        R(Reason.FtraceConflict, "ftrace-conflict", "Another user of ftrace (a kprobe with a post handler, another live patch) holds one of the functions.", "Find the holder in /sys/kernel/tracing/enabled_functions and remove it."),
        R(Reason.TransitionInProgress, "transition-in-progress", "The kernel allows one transition at a time, and one is running.", "Wait; `livepatchctl status` shows which and for how long."),
        R(Reason.NameInUse, "name-in-use", "A module of this name that livepatchd does not own is loaded.", "Remove it by hand, or rename the patch."),
        P(Reason.VetoedByCallback, "vetoed-by-callback", "The patch's own pre_patch callback refused to load.", "Read the patch's documentation; the error code is in `livepatchctl show NAME`."),
        P(Reason.IncompatibleState, "incompatible-state", "The patch is not compatible with the system state of the patches already loaded.", "Use a patch that carries all installed states, or reboot."),
        P(Reason.ModuleFormatRefused, "module-format-refused", "The kernel refused the module's format or version.", "Build the module against exactly this kernel; see the kernel log."),
        R(Reason.OutOfMemory, "out-of-memory", "The kernel had no memory for the module.", "Free memory; it is tried again by itself."),
        P(Reason.NotPermitted, "not-permitted", "The kernel refused for lack of permission (module_blacklist= or a security module).", "Look for an audit or kernel message of the same time."),
        R(Reason.KernelRefused, "kernel-refused", "The kernel refused with an error that has no known meaning here.", "See the errno in `livepatchctl show NAME` and the kernel log."),

        P(Reason.ObjectNeverMatches, "object-never-matches", "The patch names an object that no module of this kernel can be, so part of it would change nothing.", "Build the patch with the name that the kernel gives the module: `lsmod` shows it, with underscores and without a suffix."),
        R(Reason.DependencyNotLoaded, "dependency-not-loaded", "A module that the patch depends on is not loaded.", "modprobe the module that `livepatchctl show NAME` names; the patch follows by itself."),
        R(Reason.MemoryLow, "memory-low", "The machine has too little memory left to load the patch safely.", "Free memory; it is tried again by itself."),
        R(Reason.DiskSpaceLow, "disk-space-low", "The file system of /var/lib/livepatchd is nearly full, and nothing is loaded that could not be recorded.", "Free disk space; it is tried again by itself."),
        I(Reason.TargetModuleRefused, "target-module-refused", "The kernel kept a module out because this patch, which is loaded, could not be applied to it.", "Revert the patch to load the module, or install the patch for this build of the module."),
        I(Reason.ObjectNotPatched, "object-not-patched", "The patch is loaded, and an object that it names is in the kernel and not patched.", "`livepatchctl show NAME` names the object; look at the kernel log, and load the patch again."),

        I(Reason.ObserveMode, "observe-mode", "The daemon is configured to observe only.", "Set `mode: apply` and reload."),
        I(Reason.Disabled, "disabled", "A kill switch is set: /etc/livepatchd/disabled or the kernel command line.", "Remove the switch and restart the daemon."),
        I(Reason.RevertedByOperator, "reverted-by-operator", "Somebody asked for the revert; the file stays where it is.", "`livepatchctl apply NAME` applies it again."),
        I(Reason.RemovedFromDirectory, "removed-from-directory", "The file was taken out of the directory.", "Put the file back to apply it again."),
        I(Reason.NewVersion, "new-version", "A different build of the same module is in the directory.", "Nothing: the old build is taken out and the new one loaded."),
        I(Reason.Fallback, "fallback", "The build that the directory asks for was given up, and the last one that was trusted is in its place.", "Read why in `livepatchctl show NAME`; install a better build, or `livepatchctl release NAME` to have this one tried again."),
        I(Reason.ReplacedByNewer, "replaced-by-newer", "A cumulative patch replaced this one in the kernel.", "Take the superseded file out of the directory when convenient."),
        I(Reason.DisabledByHand, "disabled-by-hand", "Somebody took the patch out of the kernel behind the daemon's back.", "`livepatchctl apply NAME` applies it again; `livepatchctl revert NAME` agrees with it."),
        I(Reason.LoadedByHand, "loaded-by-hand", "Somebody else loaded this patch; livepatchd does not touch it.", "Put the same build into the directory to hand it over."),
        P(Reason.UnsupportedLivepatch, "unsupported-livepatch", "The kernel's livepatches have no `transition` file, so nobody can see whether one is complete.", "Manage livepatches with the tool of this kernel's distribution; livepatchd loads nothing beside them."),
        I(Reason.ReplacedByForeign, "replaced-by-foreign", "A cumulative patch that livepatchd did not load replaced this one in the kernel.", "Put the file of the successor into the directory, or take it out of the kernel; `livepatchctl show NAME` names it."),
        R(Reason.DirectoryUnreadable, "directory-unreadable", "The watched directory cannot be read, is gone, or is on another file system than before, so nothing is taken out.", "Check the file system and its mount; to take a patch out all the same, run `livepatchctl revert NAME`."),
        R(Reason.ModuleInUse, "module-in-use", "The patch is out of action, but something still holds its module.", "Look at /sys/module/NAME/refcnt and holders; a forced transition pins it until reboot."),
        R(Reason.RevertRefused, "revert-refused", "The kernel refused to disable or remove the patch.", "See the errno in `livepatchctl show NAME` and the kernel log."),
        R(Reason.TransitionOverdue, "transition-overdue", "The transition takes longer than transition.report-after.", "`livepatchctl blocking` names the tasks, their units and the functions they are in."),
        R(Reason.TransitionStalled, "transition-stalled", "The transition did not end within transition.reverse-after and was reversed.", "`livepatchctl history NAME` tells of it; stop or restart what stood in its way. It is tried again by itself."),
        I(Reason.AttemptsExhausted, "attempts-exhausted", "The transition was reversed transition.attempts times; it is not tried again by itself.", "Stop or restart what stands in its way, then `livepatchctl apply NAME`."),
        R(Reason.AbortedUnderPressure, "aborted-under-pressure", "All tasks waited for I/O more than transition.abort-pressure allows, and the running transition was reversed.", "Wait; it is tried again by itself."),
        R(Reason.MadeWay, "made-way", "Another patch had to be taken out at once; the kernel runs one transition at a time, so this one was reversed.", "Wait; it is tried again by itself."),
        P(Reason.NeverCompletes, "never-completes", "The patch changes the main function of a kernel thread that never leaves it, so its transition cannot end.", "Ask the patch's author; only a reboot into a fixed kernel helps."),
        I(Reason.ForcedUntilReboot, "forced-until-reboot", "A transition was forced: nothing else is loaded in this boot.", "Plan a reboot."),
        I(Reason.WaitingForOthers, "waiting-for-others", "The manifest names patches that must be loaded first.", "`livepatchctl plan` shows the order."),

        I(Reason.LoadTooHigh, "load-too-high", "The load per CPU is above gates.load.max-per-cpu, so nothing is changed in the kernel now.", "Wait; `livepatchctl gates` shows the figure and its mark. `livepatchctl apply --override-gates NAME` does not wait."),
        I(Reason.IoPressure, "io-pressure", "Tasks wait for I/O more than gates.io-pressure allows.", "Wait; `livepatchctl gates` shows the figure and its mark. `livepatchctl apply --override-gates NAME` does not wait."),
        I(Reason.CpuPressure, "cpu-pressure", "Tasks wait for a CPU more than gates.cpu-pressure allows.", "Wait; `livepatchctl gates` shows the figure and its mark. `livepatchctl apply --override-gates NAME` does not wait."),
        I(Reason.MemoryPressure, "memory-pressure", "Tasks wait for memory more than gates.memory-pressure allows.", "Wait; `livepatchctl gates` shows the figure and its mark. `livepatchctl apply --override-gates NAME` does not wait."),
        I(Reason.NetworkPressure, "network-pressure", "More TCP segments are sent again, or receive work is cut short more often, than gates.network allows.", "Wait; `livepatchctl gates` shows the figure and its mark. `livepatchctl apply --override-gates NAME` does not wait."),
        I(Reason.OutsideWindow, "outside-window", "No maintenance window of gates.windows is open.", "Wait; `livepatchctl gates` shows when the next one opens."),
        I(Reason.UptimeTooShort, "uptime-too-short", "The machine has been up for less than gates.min-uptime.", "Wait."),
        I(Reason.OperatorHold, "operator-hold", "Somebody holds all changes back.", "`livepatchctl unhold` ends the hold; `livepatchctl gates` shows its reason."),
        I(Reason.Inhibited, "inhibited", "A program holds an inhibitor.", "`livepatchctl gates` shows which program and why; it is released when the program ends."),
        I(Reason.GatesSettling, "gates-settling", "All gates are open, but not yet for as long as gates.settle asks.", "Wait."),
        I(Reason.GateUnavailable, "gate-unavailable", "The source of a gate's figure is missing, and gates.unavailable says hold.", "`livepatchctl gates` shows which; provide the source, switch the gate's mark off, or set gates.unavailable to apply."),
        I(Reason.DeferralExhausted, "deferral-exhausted", "Gates were closed for longer than the deferral budget or the deadline allows; deferral.then decided.", "Look at what keeps the machine busy; `livepatchctl gates` shows the figures."),

        I(Reason.KernelOops, "kernel-oops", "The kernel reported an oops or a bug while the patch was on probation, and it was taken out: quarantined if it was named, else held.", "Read the evidence in `livepatchctl show NAME` and report it to the patch's author; `livepatchctl release NAME` lets it in again."),
        I(Reason.KernelWarning, "kernel-warning", "The kernel wrote a warning while the patch was on probation, and it was taken out: quarantined if it was named, else held.", "Read the evidence in `livepatchctl show NAME` and report it to the patch's author; `livepatchctl release NAME` lets it in again."),
        I(Reason.KernelTainted, "kernel-tainted", "The kernel set a taint bit of a fault (D, W or L) while the patch was on probation; it was taken out, and is tried again.", "Look at the kernel log of that time; `livepatchctl release NAME` lets it in again."),
        I(Reason.KernelLockup, "kernel-lockup", "A lockup, a hung task or an RCU stall was reported while the patch was on probation, and it was taken out: quarantined if it was named, else held.", "Read the evidence in `livepatchctl show NAME` and report it to the patch's author; `livepatchctl release NAME` lets it in again."),
        I(Reason.UnitsFailed, "units-failed", "Systemd units failed that had not failed before the patch. It was taken out and is tried again; for units that users can make fail its soak was only prolonged.", "`systemctl --failed` lists them; `livepatchctl release NAME` lets the patch in again."),
        I(Reason.PressureNotBack, "pressure-not-back", "The machine's pressure did not come back under its marks after the patch; its soak was prolonged.", "`livepatchctl gates` shows the figures; `livepatchctl release NAME` lets the patch in again."),
        I(Reason.HealthCheckFailed, "health-check-failed", "A required health check failed while the patch was on probation; it was taken out and quarantined.", "Look at the unit's journal; `livepatchctl release NAME` lets the patch in again."),
        I(Reason.NotConfirmed, "not-confirmed", "Nobody confirmed the patch before its soak ended, so it was taken out.", "`livepatchctl apply NAME`, then `livepatchctl confirm NAME` in time."),
        I(Reason.HostCrashed, "host-crashed", "The host went down while the patch was on probation, and the kernel blamed it, or for the second time; it is not loaded again.", "Look for the cause of the crash; `livepatchctl release NAME` lets the patch in again."),
        I(Reason.Suspected, "suspected", "The patch was taken out because the machine got worse, and nothing says that it was the patch; it is tried again after a pause.", "Read the evidence in `livepatchctl show NAME`; `livepatchctl release NAME` tries it at once."),
        I(Reason.RebootToLeave, "reboot-to-leave", "The quarantined patch cannot be taken out of the running kernel; after a reboot it is not loaded again.", "Plan a reboot."),
        I(Reason.BootNotComplete, "boot-not-complete", "The host is still booting, and only confirmed patches are loaded so early.", "Wait, or run `livepatchctl apply NAME`, which does not wait for the boot."),
        I(Reason.BootStuck, "boot-stuck", "The boot has not ended within boot.wait, so patches are loaded without waiting for it.", "`systemctl list-jobs` shows what the boot waits for."),

        P(Reason.LivepatchAbsent, "livepatch-absent", "The running kernel has no livepatch support.", "Boot a kernel built with CONFIG_LIVEPATCH."),
        P(Reason.NoPrivilege, "no-privilege", "The daemon lacks CAP_SYS_MODULE.", "Start it by its unit, as root."),
        R(Reason.StoreUnavailable, "store-unavailable", "The private copy of the patch cannot be written or read.", "Check the disk space and mount options of /var/lib/livepatchd."),
        R(Reason.JournalUnavailable, "journal-unavailable", "The journal cannot be written, and nothing is loaded without a record of the intent.", "Check the disk space and mount options of /var/lib/livepatchd."),
        I(Reason.JournalNewer, "journal-newer", "The state log was written by a newer livepatchd; it is left as it is, and the daemon observes only.", "Install the newer version again; to go on with this one, stop it, move /var/lib/livepatchd/state/journal away and start it."),
        I(Reason.JournalUnreadable, "journal-unreadable", "The journal was damaged; it was set aside and the daemon observes only.", "Look at /var/lib/livepatchd/state, then restart the daemon to go on."),
        I(Reason.ConfigInvalid, "config-invalid", "The configuration has errors, and no earlier one is known to be good; the daemon observes only.", "Run `livepatchctl config check`, correct the file, then reload."),
        I(Reason.ConfigRefused, "config-refused", "The configuration on disk has errors; the last good one stays in force.", "Run `livepatchctl config check`, correct the file, then reload."),
        I(Reason.CrashLoop, "crash-loop", "The daemon ended uncleanly again and again in this boot; it observes only.", "Look at the daemon's last messages (`journalctl -u livepatchd`); it acts again after a pause of 5 minutes, which doubles with each unclean end, or at once after `systemctl restart livepatchd`."),
        R(Reason.BusUnavailable, "bus-unavailable", "The system bus cannot be reached or the name is taken.", "Check dbus.service; the daemon tries again by itself."),
        R(Reason.FilesStuck, "files-stuck", "The directories and files have been read for more than a minute without an end, so nothing new is seen.", "Look for a disk or file server that does not answer (`dmesg`, `findmnt`); it goes on by itself when that does."),
        R(Reason.WatchUnavailable, "watch-unavailable", "The kernel refuses to watch a directory for changes, so the directories and the deny list are read every few seconds.", "Raise fs.inotify.max_user_instances and fs.inotify.max_user_watches, or find who uses them up."),
        P(Reason.AnotherInstance, "another-instance", "Another livepatchd holds the lock.", "Stop the other one."),
    ];

    private static readonly ImmutableDictionary<Reason, ReasonInfo> ByReason = All.ToImmutableDictionary(i => i.Reason);

    private static readonly ImmutableDictionary<string, ReasonInfo> ByWord = All.ToImmutableDictionary(i => i.Word);

    public static ReasonInfo Info(this Reason reason) => ByReason[reason];

    public static string Word(this Reason reason) => ByReason[reason].Word;

    public static ReasonInfo? Parse(string word) => ByWord.GetValueOrDefault(word);

    private static ReasonInfo P(Reason reason, string word, string sentence, string next) =>
        new(reason, word, ReasonKind.Permanent, sentence, next);

    private static ReasonInfo R(Reason reason, string word, string sentence, string next) =>
        new(reason, word, ReasonKind.Retryable, sentence, next);

    private static ReasonInfo I(Reason reason, string word, string sentence, string next) =>
        new(reason, word, ReasonKind.Informative, sentence, next);
}
