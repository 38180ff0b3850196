// A host in a test: model kernel, wanted files, journal bytes, and the daemon's cycle with crashes between any two steps.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Trust;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

internal sealed class ModelHost
{
    private readonly List<byte> journal = [.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine)];
    private readonly Dictionary<PatchName, PatchLife> lives = [];

    public ModelKernel Kernel { get; set; } = new();

    private int boots;

    public string Boot { get; private set; } = "boot";

    public bool BootComplete { get; set; } = true;

    /// <summary>boot.wait is over: a boot that has not ended holds nothing any more.</summary>
    public bool BootWaitIsOver { get; set; }

    /// <summary>What somebody has asked for in this boot, and that has not been loaded since; counted here and not in the ledger.</summary>
    private readonly HashSet<PatchName> askedFor = [];

    /// <summary>What happens while a crash of the host is due: before the call, or after it.</summary>
    public Action? OnDeath { get; set; }

    public SortedDictionary<string, WantedPatch> Files { get; } = [];

    public HashSet<PatchName> Replacing { get; } = [];

    public Dictionary<string, Manifest> Manifests { get; } = [];

    public static Manifest RollbackSafe { get; } = new(null, null, [], null, [], Severity.Medium, null, [], [], null, null, []) { Rollback = Rollback.Safe };

    /// <summary>Times the host went down inside a load.</summary>
    public int Panics { get; private set; }

    public Ledger Ledger { get; private set; } = Ledger.Empty("boot");

    public SoakSettings Soak { get; init; } = SoakSettings.Default with { Duration = TimeSpan.Zero };

    public Settings Settings => Settings.Default with { Soak = Soak };

    /// <summary>
    /// Bytes that were in use, loaded by us and not confirmed, when the host went down, and how often; none is loaded a third time before its
    /// release, nor a second time when the kernel blames it.
    /// </summary>
    public Dictionary<Sha256, int> CrashedWith { get; } = [];

    /// <summary>The kernel's log outlives a panic, as with pstore.</summary>
    public bool KeepsDumps { get; init; }

    private readonly Dictionary<PatchName, Sha256> loadedByUs = [];
    private ImmutableDictionary<PatchName, Instant> checkedAt = ImmutableDictionary<PatchName, Instant>.Empty;

    public bool GatesClosed { get; set; }

    public bool UnderPressure { get; set; }

    public PatchName? ForceAsked { get; set; }

    public string? Token { get; set; }

    /// <summary>Transitions taken back by policy, counted here and not in the ledger: the budget is held against it.</summary>
    private readonly Dictionary<Sha256, int> takenBack = [];

    public Instant Now { get; private set; } = new(TimeSpan.FromSeconds(1), DateTimeOffset.UnixEpoch);

    public List<string> Violations { get; } = [];

    public IReadOnlyDictionary<PatchName, PatchLife> Lives => lives;

    public static WantedPatch File(string name, int build)
    {
        var digest = Digest(name, build);
        var info = new ModuleInfo(PatchName.Parse(name), "6.12.0 SMP", true, false, Build(name, build), null, "GPL", []);
        return new WantedPatch(new PatchModule(info, digest, ModuleCompression.None, 1000), $"/p/{name}.ko");
    }

    public static Sha256 Digest(string name, int build) => Sha256.TryParse($"{name[^1] - 'a':x2}{build:x2}".PadRight(64, '0'))!.Value;

    public static BuildId Build(string name, int build) => BuildId.TryParse($"{name[^1] - 'a':x2}{build:x2}")!.Value;

    public void Record(JournalRecord record) => Append(record with { BootId = Ledger.BootId, At = Now });

    public void Record(RecordKind kind, PatchName name, Sha256? digest = null, bool overrideGates = false)
    {
        if (kind is RecordKind.OperatorApplied)
            takenBack.Clear();
        if (kind is RecordKind.Released)
            CrashedWith.Remove(digest!.Value);
        if (kind is RecordKind.OperatorApplied)
            askedFor.Add(name);
        if (kind is RecordKind.OperatorReverted)
            askedFor.Remove(name);
        Append(new JournalRecord(kind, name, Ledger.BootId, Now, digest) { OverrideGates = overrideGates });
    }

    /// <summary>Somebody loads a module with his own hand: what we knew of the name does not count any more.</summary>
    public void LoadByHand(string name, int build)
    {
        if (Kernel.Load(PatchName.Parse(name), Digest(name, build), Build(name, build), false) == Errno.None)
            loadedByUs.Remove(PatchName.Parse(name));
    }

    /// <summary>The host goes down, and boots again: the kernel is empty, the clock begins anew, the journal is all there is.</summary>
    public void Reboot(bool clean, TimeSpan off = default, PatchName? panicked = null)
    {
        if (!clean)
        {
            foreach (var digest in loadedByUs.Where(o => Kernel.InUse(o.Key) && !Ledger.Confirmed.Contains(o.Value)).Where(o => panicked is null || panicked == o.Key).Select(o => o.Value))
                CrashedWith[digest] = panicked is null ? CrashedWith.GetValueOrDefault(digest) + 1 : 2;
        }
        ImmutableArray<CrashDump> dumps = panicked is { } by
            ? CrashDump.Read([new CrashFile("dmesg-erst-1", Now.Wall, $"Panic#1 Part1\n<0>[    1.000000] Kernel panic - not syncing: {by}\n<4>[    1.000001] Call Trace:\n<4>[    1.000002]  init+0x1/0x2 [{by}]\n")])
            : [];
        loadedByUs.Clear();
        askedFor.Clear();
        BootWaitIsOver = false;
        var old = Boot;
        Boot = $"boot{++boots}";
        Kernel = Kernel.Rebooted();
        Now = new(TimeSpan.FromSeconds(1), Now.Wall + off);
        checkedAt = checkedAt.Clear();
        takenBack.Clear();
        Restart();
        var records = JournalCodec.Decode(journal.ToArray()).Records;
        var learned = CrashGuard.Learn(records, Boot, clean ? new HashSet<string> { old } : new HashSet<string>(), Now, () => dumps);
        if (!learned.SequenceEqual(CrashGuard.Learn(Compaction.Keep(records, Boot), Boot, clean ? new HashSet<string> { old } : new HashSet<string>(), Now, () => dumps)))
            Violations.Add("compaction changed what the crash guard learns");
        foreach (var record in learned)
            Append(record);
        if (!CrashGuard.Learn(JournalCodec.Decode(journal.ToArray()).Records, Boot, new HashSet<string>(), Now).IsEmpty)
            Violations.Add("the crash guard learns twice");
    }

    public void Confirm(PatchName name)
    {
        if (Probation.Confirm(name, Ledger, Now) is { } record)
            Append(record);
    }

    public void Wait(TimeSpan span) => Now = Now.After(span);

    /// <summary>Somebody sets the wall clock.</summary>
    public void JumpYears(int years) => Now = Now with { Wall = Now.Wall.AddYears(years) };

    /// <summary>The machine was shut down and off for a while.</summary>
    public void Reboot(TimeSpan off) => Reboot(clean: true, off);

    /// <summary>The daemon dies and comes back: all it has is the journal.</summary>
    public void Restart()
    {
        var content = JournalCodec.Decode(journal.ToArray());
        if (content.Damage is not null || content.Whole != journal.Count)
            Violations.Add("the journal does not read back");
        var again = LedgerFold.Replay(content.Records, Boot);
        Ledger = LedgerFold.Replay(Compaction.Keep(content.Records, Boot), Boot);
        if (!again.Owned.SequenceEqual(Ledger.Owned) || !again.Reverted.SetEquals(Ledger.Reverted) || !again.AskedFor.SetEquals(Ledger.AskedFor)
            || !again.Deferred.SequenceEqual(Ledger.Deferred) || !again.DeferredBefore.SequenceEqual(Ledger.DeferredBefore)
            || !again.Confirmed.SequenceEqual(Ledger.Confirmed) || !again.Quarantined.SequenceEqual(Ledger.Quarantined) || !again.Unconfirmed.SequenceEqual(Ledger.Unconfirmed))
            Violations.Add("compaction changed the ledger");
        lives.Clear();
    }

    public ImmutableHashSet<Sha256> Denied { get; set; } = [];

    public ImmutableHashSet<string> TrustedKeys { get; set; } = [];

    public TrustSettings Trust { get; set; } = TrustSettings.Default;

    private DesiredState Want => new([.. Files.Values], [], []) { Denied = Denied, TrustedKeys = TrustedKeys };

    private HealthSample Sample() => new(Now, 0, Kernel.WarnCount, Kernel.Observe(Boot).Kernel.Tainted, [], null, null);

    public PlannerInput Input() => new(Kernel.Observe(Boot), Want, Ledger, Settings with { Trust = Trust }, null, null, Now)
    {
        BootComplete = BootComplete || BootWaitIsOver,
        BootStuck = !BootComplete && BootWaitIsOver,
        Gates = GatesClosed ? new GateBoard([], Reason.IoPressure, Now.After(TimeSpan.FromSeconds(30)), "io") : GateBoard.AllOpen,
        Abort = UnderPressure && Kernel.Observe(Boot).InTransition is { } running ? new TransitionAlarm(running.Name, "all tasks waited") : null,
        ForceAsked = ForceAsked is { } forced ? new ForceRequest(forced, Token ?? "seen") : null,
        BlockersToken = "seen",
    };

    /// <summary>One look; runs the first step unless the daemon dies before or after the kernel call.</summary>
    public Plan Tick(bool dieBefore = false, bool dieAfter = false)
    {
        foreach (var record in Bookkeeping.Learn(Kernel.Observe(Boot), Ledger, null, Now))
        {
            if (record is { Kind: RecordKind.Activated, Digest: { } active })
                takenBack.Remove(active);
            Append(record);
        }
        Judge();
        var input = Input();
        var plan = Planner.Decide(input);
        if (!plan.Steps.SequenceEqual(Planner.Decide(input).Steps))
            Violations.Add("one input, two plans");
        CheckUrgent(plan, input);
        foreach (var record in Bookkeeping.Waiting(plan, Ledger, Now).Concat(HighWater.Learn(input)))
            Append(record);
        foreach (var verdict in plan.Verdicts)
        {
            var (next, effects) = TransitionMachine.Step(lives.GetValueOrDefault(verdict.Name), verdict.Event, Now);
            lives[verdict.Name] = next;
            Violations.AddRange(effects.OfType<Effect.ReportImpossible>().Select(i => $"{verdict.Name}: {i.From} by {i.Event}"));
        }
        foreach (var gone in lives.Keys.Except(plan.Verdicts.Select(v => v.Name)).ToList())
            lives.Remove(gone);
        if (!plan.Steps.IsEmpty)
            Run(plan.Steps[0], input, dieBefore, dieAfter);
        Wait(TimeSpan.FromMilliseconds(20));
        return plan;
    }

    private void Run(PlanStep step, PlannerInput input, bool dieBefore, bool dieAfter)
    {
        var loaded = input.Seen.Find(step.Name);
        var ours = Ledger.Owned.GetValueOrDefault(step.Name) is { } o && (loaded?.BuildId is null || o.BuildId == loaded.BuildId);
        if (step is not (PlanStep.Adopt or PlanStep.Await) && loaded is not null && !ours)
            Violations.Add($"law 5: {step.Action} on foreign {step.Name}");
        if (step is PlanStep.Load or PlanStep.Disable && input.Seen.InTransition is not null)
            Violations.Add($"law 1: {step.Action} of {step.Name} during a transition");
        var passes = Ledger.Overrides.ContainsKey(step.Name)
            || Ledger.Deferred.TryGetValue(step.Name, out var since) && Now.Since(since) >= Settings.Default.Deferral.Budget;
        if (step is PlanStep.Load or PlanStep.Disable && GatesClosed && !passes && !Emergency.IsUrgent(step, input))
            Violations.Add($"gates: {step.Action} of {step.Name} while they are closed");
        if (step is PlanStep.Force && (ForceAsked != step.Name || Token is not null))
            Violations.Add($"force of {step.Name}, which nobody asked for");
        if (step is PlanStep.Load && !Ledger.Forced.IsEmpty)
            Violations.Add($"load of {step.Name} after a force");
        if (step is PlanStep.Load tried && takenBack.GetValueOrDefault(tried.Digest) >= Settings.Default.Transition.Attempts)
            Violations.Add($"attempts: {takenBack[tried.Digest] + 1} of {step.Name}");
        if (step is PlanStep.Load { Digest: var digest } && Ledger.Quarantined.TryGetValue(digest, out var mark)
            && !(SecondChance.RetryAt(mark, Boot, Settings.Default, Now) is { } retry && !Now.IsBefore(retry)))
            Violations.Add($"law 4: load of quarantined {step.Name}");
        if (step is PlanStep.Load { Digest: var again } && CrashedWith.GetValueOrDefault(again) > 1)
            Violations.Add($"load of {step.Name}, by which the host went down, or with which it did so twice");
        // A boot that goes on holds what is not confirmed, for no longer than boot.wait, and nothing that somebody asked for.
        if (step is PlanStep.Load { Digest: var early } && !BootComplete && !BootWaitIsOver && !Ledger.Confirmed.Contains(early) && !askedFor.Contains(step.Name))
            Violations.Add($"load of {step.Name} before the boot is complete");
        if (step is PlanStep.Load or PlanStep.Adopt)
            askedFor.Remove(step.Name);

        switch (step)
        {
            case PlanStep.Adopt a:
                var adopted = Files.Values.First(f => f.Module.Digest == a.Digest);
                Append(Charged(new JournalRecord(RecordKind.Adopted, a.Name, Boot, Now, a.Digest, adopted.Module.BuildId, adopted.Path), adopted));
                lives.Remove(a.Name);
                break;
            case PlanStep.Load l:
                if (Kernel.Has(l.Name))
                    Violations.Add($"double load of {l.Name}");
                var file = Files.Values.First(f => f.Module.Digest == l.Digest);
                Append(Charged(new JournalRecord(RecordKind.LoadIntent, l.Name, Boot, Now, l.Digest, file.Module.BuildId, file.Path), file));
                if (dieBefore)
                {
                    Die();
                    return;
                }
                var error = Kernel.Load(l.Name, l.Digest, file.Module.BuildId!.Value, Replacing.Contains(l.Name));
                if (error == Errno.None)
                    loadedByUs[l.Name] = l.Digest;
                if (error == Errno.None && Kernel.Panics.Contains(l.Digest))
                {
                    Panics++;
                    Reboot(clean: false, panicked: KeepsDumps ? l.Name : null);
                    return;
                }
                if (dieAfter)
                {
                    Die();
                    return;
                }
                Append(new JournalRecord(error == Errno.None ? RecordKind.Loaded : RecordKind.LoadFailed, l.Name, Boot, Now, l.Digest, Errno: error,
                    Reason: error switch { Errno.None => null, Errno.EINVAL => Reason.SymbolNotFound, Errno.EEXIST => Reason.NameInUse, _ => Reason.TransitionInProgress }));
                break;
            case PlanStep.Force:
                Append(new JournalRecord(RecordKind.Forced, step.Name, Boot, Now));
                ForceAsked = null;
                Kernel.Complete();
                break;
            case PlanStep.Reenable:
                Append(new JournalRecord(RecordKind.Reenabled, step.Name, Boot, Now, Reason: step.WhyOrNull));
                if (!dieBefore)
                    Kernel.SetEnabled(step.Name, true);
                if (dieBefore || dieAfter)
                    Die();
                break;
            case PlanStep.Disable or PlanStep.Reverse:
                if (step is PlanStep.Reverse { Why: Reason.TransitionStalled or Reason.AbortedUnderPressure or Reason.MadeWay } && Ledger.Owned[step.Name] is { DisabledAt: null } stuck)
                    takenBack[stuck.Digest] = takenBack.GetValueOrDefault(stuck.Digest) + 1;
                Append(new JournalRecord(RecordKind.DisableIntent, step.Name, Boot, Now, Reason: step.WhyOrNull));
                if (!dieBefore)
                    Kernel.SetEnabled(step.Name, false);
                if (dieBefore || dieAfter)
                    Die();
                break;
            case PlanStep.Unload:
                Kernel.Unload(step.Name);
                if (dieAfter)
                    Die();
                break;
        }
    }

    /// <summary>The rounds of checks that are due pass; then what the look teaches.</summary>
    private void Judge()
    {
        foreach (var due in Probation.Due(Ledger, Want, Settings, [], checkedAt, Now))
            checkedAt = checkedAt.SetItem(due.Name, Now);
        var input = new HealthInput(Sample()) { CheckedAt = checkedAt };
        foreach (var record in Probation.Learn(input, Ledger, Want, Settings, Now))
        {
            if (record.Kind is RecordKind.Confirmed && !(Ledger.Owned[record.Name].ActiveAt is { } active && Now.Since(active) >= Soak.Duration))
                Violations.Add($"{record.Name} confirmed before its soak was over");
            Append(record);
        }
        if (Probation.Learn(input, Ledger, Want, Settings, Now).Any(r => r.Kind is not (RecordKind.Confirmed or RecordKind.Unconfirmed)))
            Violations.Add("one piece of evidence took out two patches");
    }

    /// <summary>What must go for cause is the first thing that is done, unless the kernel is in another transition.</summary>
    private void CheckUrgent(Plan plan, PlannerInput input)
    {
        var must = Ledger.Owned.Values.Where(o => Emergency.Of(o, Ledger) is not null && input.Seen.Find(o.Name) is { State: KernelPatchState.Active } p && p.BuildId == o.BuildId
            && !Ledger.RevertFailures.ContainsKey(o.Name) && !Ledger.Forced.Contains(o.Name) && Files.Values.All(f => f.Manifest?.Rollback is not Rollback.Unsafe)).ToList();
        if (must.Count > 0 && input.Seen.InTransition is null && !(plan.Steps is [var first, ..] && Emergency.IsUrgent(first, input)))
            Violations.Add($"{must[0].Name} must go, and the plan begins with {(plan.Steps.IsEmpty ? "nothing" : plan.Steps[0].Action)}");
    }

    private JournalRecord Charged(JournalRecord intent, WantedPatch file) => Probation.Charge(intent, file.Manifest, Ledger, Settings, Sample());

    private void Die()
    {
        if (OnDeath is { } death)
            death();
        else
            Restart();
    }

    public void Append(JournalRecord record)
    {
        journal.AddRange(JournalCodec.Encode(record));
        Ledger = LedgerFold.Apply(Ledger, record);
        // A soak that was passed clears what it crashed with before.
        if (record is { Kind: RecordKind.Confirmed, Digest: { } passed })
            CrashedWith.Remove(passed);
    }
}
