// Requests of people: what they change in the journal, which job follows them, and what the caller is told.
using System.Collections.Immutable;
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Trust;
using LivePatchd.Core.Recovery;
using LivePatchd.Log;

namespace LivePatchd.Loop;

internal sealed class CommandDesk(JournalBook journal, JobTable jobs, MonotonicClock clock, DaemonLog log)
{
    private readonly List<(BusCall Call, string Job)> accepted = [];
    private Reason? barred;

    /// <summary>Bytes of the name that are wanted and under quarantine; null when there are none.</summary>
    public QuarantineMark? Quarantine(PatchName name, DesiredState desired) => desired.Wanted
        .Where(w => w.Name == name)
        .Select(w => journal.Ledger.Quarantined.Of(w.Module.Identity))
        .FirstOrDefault(m => m is not null);

    /// <summary>After the snapshot with the jobs is on its way to the bus: a caller must find the object it is told of.</summary>
    public void AnswerAccepted()
    {
        foreach (var (call, job) in accepted)
            call.Reply(w => w.WriteObjectPath(job));
        accepted.Clear();
    }

    /// <param name="bar">Why the daemon changes nothing at all; null when it acts. What cannot be done now is refused and leaves no wish behind.</param>
    /// <param name="notBeforeScan">Scan whose result the job's outcome must know.</param>
    public void Carry(Command command, ObservedState seen, DesiredState desired, Reason? bar, long notBeforeScan)
    {
        // A journal that takes nothing has an answer of its own, once something is to be written.
        barred = bar is Reason.JournalUnavailable ? null : bar;
        switch (command)
        {
            case Command.Apply apply:
                Answer(apply, Apply(apply, seen, desired, notBeforeScan));
                break;
            case Command.Revert revert:
                Answer(revert, Revert(revert, seen, desired, notBeforeScan));
                break;
            case Command.Cancel cancel:
                Cancel(cancel, seen, desired, notBeforeScan);
                break;
        }
    }

    public static void Answer(WorkResult.Staged staged)
    {
        if (staged.Command.Call is not { } call)
            return;
        if (staged.Result.Name is { } name)
            call.Reply(w => w.WriteString(name.Value));
        else if (staged.Result.Refused is { } refused)
            call.ReplyError(BusErrors.Of(refused.Reason), $"{refused.Reason.Word()}: {refused.Detail}");
        else
            call.ReplyError(BusErrors.Failed, staged.Result.Error.ToString());
    }

    public static void Answer(WorkResult.Unstaged unstaged)
    {
        if (unstaged.Command.Call is not { } call)
            return;
        if (unstaged.Result.IsOk)
            call.Reply();
        else if (unstaged.Result.Errno is Errno.ENOENT)
            call.ReplyError(BusErrors.NoSuchPatch, $"no file of {unstaged.Command.Name} in a watched directory");
        else if (unstaged.Result.Errno is Errno.EROFS)
            call.ReplyError(BusErrors.Failed, $"its file lies in a directory that is read-only in the configuration; whoever put it there takes it out, or revert {unstaged.Command.Name}");
        else
            call.ReplyError(BusErrors.Failed, unstaged.Result.ToString());
    }

    public static void Answer(Command.Reload reload, ImmutableArray<string> errors)
    {
        if (errors.IsEmpty)
            reload.Call?.Reply();
        else
            reload.Call?.ReplyError(BusErrors.InvalidArgument, $"{Reason.ConfigInvalid.Word()}: {string.Join("; ", errors)}");
    }

    private void Answer(Command asked, Outcome outcome)
    {
        if (asked.Call is not { } call)
            return;
        if (outcome.Job is { } job)
            accepted.Add((call, JobInterface.PathOf(job)));
        else
            call.ReplyError(outcome.Error, outcome.Why);
    }

    private Outcome Apply(Command.Apply apply, ObservedState seen, DesiredState desired, long notBeforeScan)
    {
        if (Quarantine(apply.Name, desired) is { } mark)
            return Outcome.No(BusErrors.Quarantined, $"{mark.Reason.Word()}: {apply.Name} is under quarantine; release it first");
        if (barred is { } bar)
            return Outcome.Barred(bar);
        if (!HasRoom(apply.Call))
            return Outcome.Full;
        var record = new JournalRecord(RecordKind.OperatorApplied, apply.Name, seen.Kernel.BootId, clock.Now())
        {
            OverrideGates = apply.OverrideGates,
            MustConfirm = apply.MustConfirm,
            Deadline = apply.Deadline,
            WaitsForBoot = apply.WaitsForBoot,
        };
        // For these bytes and no others: what lies in the directory tomorrow was not meant.
        if (apply.Downgrade && desired.Wanted.FirstOrDefault(w => w.Name == apply.Name) is { } wanted)
            record = record with { Downgrade = true, Digest = wanted.Module.Digest, Content = wanted.Module.Content, Mark = HighWater.Of(wanted) };
        if (!journal.Record(record))
            return Outcome.NotRecorded;
        if (record.Downgrade)
        {
            log.Note(
                EventKind.Downgraded,
                $"{apply.Name}: uid {Uid(apply.Call)} lets it be loaded although its stream is further ({(record.Mark is { } stream ? $"{stream.Id.Stream} {stream.Sequence}" : "no stream")})",
                apply.Name, record.Digest);
        }
        return Accept("apply", apply.Name, Uid(apply.Call), notBeforeScan);
    }

    private Outcome Revert(Command.Revert revert, ObservedState seen, DesiredState desired, long notBeforeScan)
    {
        var owned = journal.Ledger.Owned.ContainsKey(revert.Name);
        if (!owned && seen.Find(revert.Name) is { Directory: true })
            return Outcome.No(BusErrors.NameConflict, $"{Reason.LoadedByHand.Word()}: {revert.Name} was not loaded by livepatchd, which does not touch it");
        if (!owned && desired.Wanted.All(w => w.Name != revert.Name) && desired.Refused.All(r => r.Name != revert.Name))
            return Outcome.No(BusErrors.NoSuchPatch, $"no patch {revert.Name}");
        if (barred is { } bar)
            return Outcome.Barred(bar);
        if (!HasRoom(revert.Call))
            return Outcome.Full;
        // Those first: none of them is loaded in between.
        var also = revert.AndSuperseded ? journal.Ledger.ReplacedBy(revert.Name) : [];
        return also.All(name => journal.Record(new JournalRecord(RecordKind.OperatorReverted, name, seen.Kernel.BootId, clock.Now())))
            && journal.Record(new JournalRecord(RecordKind.OperatorReverted, revert.Name, seen.Kernel.BootId, clock.Now()) { OverrideGates = revert.OverrideGates })
            ? Accept("revert", revert.Name, Uid(revert.Call), notBeforeScan)
            : Outcome.NotRecorded;
    }

    private void Cancel(Command.Cancel cancel, ObservedState seen, DesiredState desired, long notBeforeScan)
    {
        if (jobs.Find(cancel.Job) is not { Result: "" } job)
        {
            cancel.Call?.ReplyError(BusErrors.InvalidArgument, "the job has ended");
            return;
        }
        var outcome = job.Kind == "apply"
            ? Revert(new Command.Revert(null, job.Patch), seen, desired, notBeforeScan)
            : Apply(new Command.Apply(null, job.Patch), seen, desired, notBeforeScan);
        // The job goes on when its opposite cannot be asked for.
        if (outcome.Job is null)
            cancel.Call?.ReplyError(outcome.Error, outcome.Why);
        else
            cancel.Call?.Reply();
    }

    // Before anything is written down: what is refused must leave no trace in the journal.
    private bool HasRoom(BusCall? call) => call is null || jobs.HasRoom(Uid(call));

    private static uint Uid(BusCall? call) => call is null ? 0 : call.SenderUid ?? uint.MaxValue;

    private Outcome Accept(string kind, PatchName name, uint uid, long notBeforeScan)
    {
        jobs.CancelOpposite(kind, name, clock.Now());
        return new Outcome(jobs.Add(kind, name, uid, notBeforeScan).Id, "", "");
    }

    /// <param name="Job">Null: refused, and why.</param>
    private readonly record struct Outcome(uint? Job, string Error, string Why)
    {
        public static Outcome Full { get; } =
            No(BusErrors.LimitsExceeded, $"{JobTable.MaxOpen} jobs are open, or {JobTable.MaxOpenOfOne} of one user other than root");

        public static Outcome NotRecorded { get; } =
            No(BusErrors.Failed, $"{Reason.JournalUnavailable.Word()}: {Reason.JournalUnavailable.Info().Sentence}");

        public static Outcome Barred(Reason bar) => No(BusErrors.Of(bar), $"{bar.Word()}: {bar.Info().Sentence} Nothing was recorded; repeat the request when this has ended.");

        public static Outcome No(string error, string why) => new(null, error, why);
    }
}
