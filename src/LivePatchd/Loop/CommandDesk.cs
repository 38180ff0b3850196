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

    /// <summary>Bytes of the name that are wanted and under quarantine; null when there are none.</summary>
    public QuarantineMark? Quarantine(PatchName name, DesiredState desired) => desired.Wanted
        .Where(w => w.Name == name)
        .Select(w => journal.Ledger.Quarantined.GetValueOrDefault(w.Module.Digest))
        .FirstOrDefault(m => m is not null);

    /// <summary>After the snapshot with the jobs is on its way to the bus: a caller must find the object it is told of.</summary>
    public void AnswerAccepted()
    {
        foreach (var (call, job) in accepted)
            call.Reply(w => w.WriteObjectPath(job));
        accepted.Clear();
    }

    /// <param name="notBeforeScan">Scan whose result the job's outcome must know.</param>
    public void Carry(Command command, ObservedState seen, DesiredState desired, long notBeforeScan)
    {
        switch (command)
        {
            case Command.Apply apply:
                Apply(apply, seen, desired, notBeforeScan);
                break;
            case Command.Revert revert:
                Revert(revert, seen, desired, notBeforeScan);
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

    private void Apply(Command.Apply apply, ObservedState seen, DesiredState desired, long notBeforeScan)
    {
        if (Quarantine(apply.Name, desired) is { } mark)
        {
            apply.Call?.ReplyError(BusErrors.Quarantined, $"{mark.Reason.Word()}: {apply.Name} is under quarantine; release it first");
            return;
        }
        if (!HasRoom(apply.Call))
            return;
        var record = new JournalRecord(RecordKind.OperatorApplied, apply.Name, seen.Kernel.BootId, clock.Now())
        {
            OverrideGates = apply.OverrideGates,
            MustConfirm = apply.MustConfirm,
            Deadline = apply.Deadline,
        };
        // For these bytes and no others: what lies in the directory tomorrow was not meant.
        if (apply.Downgrade && desired.Wanted.FirstOrDefault(w => w.Name == apply.Name) is { } wanted)
        {
            record = record with { Downgrade = true, Digest = wanted.Module.Digest, Mark = HighWater.Of(wanted) };
            log.Note(
                EventKind.Downgraded,
                $"{apply.Name}: uid {Uid(apply.Call)} lets it be loaded although its stream is further ({(record.Mark is { } stream ? $"{stream.Id.Stream} {stream.Sequence}" : "no stream")})",
                apply.Name, wanted.Module.Digest);
        }
        var recorded = journal.Record(record);
        Accept(apply.Call, "apply", apply.Name, recorded, notBeforeScan);
    }

    private void Revert(Command.Revert revert, ObservedState seen, DesiredState desired, long notBeforeScan)
    {
        var owned = journal.Ledger.Owned.ContainsKey(revert.Name);
        if (!owned && seen.Find(revert.Name) is { Directory: true })
        {
            revert.Call?.ReplyError(BusErrors.NameConflict, $"{Reason.LoadedByHand.Word()}: {revert.Name} was not loaded by livepatchd, which does not touch it");
            return;
        }
        if (!owned && desired.Wanted.All(w => w.Name != revert.Name) && desired.Refused.All(r => r.Name != revert.Name))
        {
            revert.Call?.ReplyError(BusErrors.NoSuchPatch, $"no patch {revert.Name}");
            return;
        }
        if (!HasRoom(revert.Call))
            return;
        var recorded = journal.Record(new JournalRecord(RecordKind.OperatorReverted, revert.Name, seen.Kernel.BootId, clock.Now()) { OverrideGates = revert.OverrideGates });
        Accept(revert.Call, "revert", revert.Name, recorded, notBeforeScan);
    }

    private void Cancel(Command.Cancel cancel, ObservedState seen, DesiredState desired, long notBeforeScan)
    {
        if (jobs.Find(cancel.Job) is not { Result: "" } job)
        {
            cancel.Call?.ReplyError(BusErrors.InvalidArgument, "the job has ended");
            return;
        }
        cancel.Call?.Reply();
        if (job.Kind == "apply")
            Revert(new Command.Revert(null, job.Patch), seen, desired, notBeforeScan);
        else
            Apply(new Command.Apply(null, job.Patch), seen, desired, notBeforeScan);
    }

    // Before anything is written down: what is refused must leave no trace in the journal.
    private bool HasRoom(BusCall? call)
    {
        if (call is null || jobs.HasRoom(Uid(call)))
            return true;
        call.ReplyError(BusErrors.LimitsExceeded, $"{JobTable.MaxOpen} jobs are open, or {JobTable.MaxOpenOfOne} of one user other than root");
        return false;
    }

    private static uint Uid(BusCall? call) => call is null ? 0 : call.SenderUid ?? uint.MaxValue;

    private void Accept(BusCall? call, string kind, PatchName name, bool recorded, long notBeforeScan)
    {
        if (!recorded)
        {
            call?.ReplyError(BusErrors.Failed, $"{Reason.JournalUnavailable.Word()}: {Reason.JournalUnavailable.Info().Sentence}");
            return;
        }
        jobs.CancelOpposite(kind, name, clock.Now());
        var job = jobs.Add(kind, name, Uid(call), notBeforeScan);
        if (call is not null)
            accepted.Add((call, JobInterface.PathOf(job.Id)));
    }
}
