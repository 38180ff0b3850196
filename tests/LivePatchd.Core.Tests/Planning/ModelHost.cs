// A host in a test: model kernel, wanted files, journal bytes, and the daemon's cycle with crashes between any two steps.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Trust;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Planning;

internal sealed class ModelHost
{
    private readonly List<byte> journal = [.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine)];
    private readonly Dictionary<PatchName, PatchLife> lives = [];

    public ModelKernel Kernel { get; init; } = new();

    public SortedDictionary<string, WantedPatch> Files { get; } = [];

    public HashSet<PatchName> Replacing { get; } = [];

    public Ledger Ledger { get; private set; } = Ledger.Empty("boot");

    public TimeSpan Soak { get; init; }

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
        Append(new JournalRecord(kind, name, Ledger.BootId, Now, digest) { OverrideGates = overrideGates });
    }

    public void Wait(TimeSpan span) => Now = Now.After(span);

    /// <summary>Somebody sets the wall clock.</summary>
    public void JumpYears(int years) => Now = Now with { Wall = Now.Wall.AddYears(years) };

    /// <summary>The daemon dies and comes back: all it has is the journal.</summary>
    public void Restart()
    {
        var content = JournalCodec.Decode(journal.ToArray());
        if (content.Damage is not null || content.Whole != journal.Count)
            Violations.Add("the journal does not read back");
        var again = LedgerFold.Replay(content.Records, "boot");
        Ledger = LedgerFold.Replay(Compaction.Keep(content.Records, "boot"), "boot");
        if (!again.Owned.SequenceEqual(Ledger.Owned) || !again.Reverted.SetEquals(Ledger.Reverted))
            Violations.Add("compaction changed the ledger");
        lives.Clear();
    }

    public ImmutableHashSet<Sha256> Denied { get; set; } = [];

    public ImmutableHashSet<string> TrustedKeys { get; set; } = [];

    public TrustSettings Trust { get; set; } = TrustSettings.Default;

    private DesiredState Want => new([.. Files.Values], [], []) { Denied = Denied, TrustedKeys = TrustedKeys };

    public PlannerInput Input() => new(Kernel.Observe("boot"), Want, Ledger, Settings.Default with { Trust = Trust }, null, null, Now, Soak)
    {
        Gates = GatesClosed ? new GateBoard([], Reason.IoPressure, Now.After(TimeSpan.FromSeconds(30)), "io") : GateBoard.AllOpen,
        Abort = UnderPressure && Kernel.Observe("boot").InTransition is { } running ? new TransitionAlarm(running.Name, "all tasks waited") : null,
        ForceAsked = ForceAsked is { } forced ? new ForceRequest(forced, Token ?? "seen") : null,
        BlockersToken = "seen",
    };

    /// <summary>One look; runs the first step unless the daemon dies before or after the kernel call.</summary>
    public Plan Tick(bool dieBefore = false, bool dieAfter = false)
    {
        foreach (var record in Bookkeeping.Learn(Kernel.Observe("boot"), Ledger, null, Now))
        {
            if (record is { Kind: RecordKind.Activated, Digest: { } active })
                takenBack.Remove(active);
            Append(record);
        }
        var input = Input();
        var plan = Planner.Decide(input);
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
        if (step is PlanStep.Load or PlanStep.Disable && GatesClosed && !passes)
            Violations.Add($"gates: {step.Action} of {step.Name} while they are closed");
        if (step is PlanStep.Force && (ForceAsked != step.Name || Token is not null))
            Violations.Add($"force of {step.Name}, which nobody asked for");
        if (step is PlanStep.Load && !Ledger.Forced.IsEmpty)
            Violations.Add($"load of {step.Name} after a force");
        if (step is PlanStep.Load tried && takenBack.GetValueOrDefault(tried.Digest) >= Settings.Default.Transition.Attempts)
            Violations.Add($"attempts: {takenBack[tried.Digest] + 1} of {step.Name}");
        if (step is PlanStep.Load { Digest: var digest } && Ledger.Quarantined.ContainsKey(digest))
            Violations.Add($"law 4: load of quarantined {step.Name}");

        switch (step)
        {
            case PlanStep.Adopt a:
                var adopted = Files.Values.First(f => f.Module.Digest == a.Digest);
                Append(new JournalRecord(RecordKind.Adopted, a.Name, "boot", Now, a.Digest, adopted.Module.BuildId, adopted.Path));
                lives.Remove(a.Name);
                break;
            case PlanStep.Load l:
                if (Kernel.Has(l.Name))
                    Violations.Add($"double load of {l.Name}");
                var file = Files.Values.First(f => f.Module.Digest == l.Digest);
                Append(new JournalRecord(RecordKind.LoadIntent, l.Name, "boot", Now, l.Digest, file.Module.BuildId, file.Path));
                if (dieBefore)
                {
                    Restart();
                    return;
                }
                var error = Kernel.Load(l.Name, l.Digest, file.Module.BuildId!.Value, Replacing.Contains(l.Name));
                if (dieAfter)
                {
                    Restart();
                    return;
                }
                Append(new JournalRecord(error == Errno.None ? RecordKind.Loaded : RecordKind.LoadFailed, l.Name, "boot", Now, l.Digest, Errno: error,
                    Reason: error switch { Errno.None => null, Errno.EINVAL => Reason.SymbolNotFound, Errno.EEXIST => Reason.NameInUse, _ => Reason.TransitionInProgress }));
                break;
            case PlanStep.Force:
                Append(new JournalRecord(RecordKind.Forced, step.Name, "boot", Now));
                ForceAsked = null;
                Kernel.Complete();
                break;
            case PlanStep.Reenable:
                Append(new JournalRecord(RecordKind.Reenabled, step.Name, "boot", Now, Reason: step.WhyOrNull));
                if (!dieBefore)
                    Kernel.SetEnabled(step.Name, true);
                if (dieBefore || dieAfter)
                    Restart();
                break;
            case PlanStep.Disable or PlanStep.Reverse:
                if (step is PlanStep.Reverse { Why: Reason.TransitionStalled or Reason.AbortedUnderPressure } && Ledger.Owned[step.Name] is { DisabledAt: null } stuck)
                    takenBack[stuck.Digest] = takenBack.GetValueOrDefault(stuck.Digest) + 1;
                Append(new JournalRecord(RecordKind.DisableIntent, step.Name, "boot", Now, Reason: step.WhyOrNull));
                if (!dieBefore)
                    Kernel.SetEnabled(step.Name, false);
                if (dieBefore || dieAfter)
                    Restart();
                break;
            case PlanStep.Unload:
                Kernel.Unload(step.Name);
                if (dieAfter)
                    Restart();
                break;
        }
    }

    private void Append(JournalRecord record)
    {
        journal.AddRange(JournalCodec.Encode(record));
        Ledger = LedgerFold.Apply(Ledger, record);
    }
}
