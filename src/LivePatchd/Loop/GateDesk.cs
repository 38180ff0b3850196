// The gates as the loop works with them: readings, the kernel's triggers, people's holds and programs' inhibitors made into one board.
using System.Collections.Immutable;
using LivePatchd.Bus;
using LivePatchd.Control;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Gates;
using LivePatchd.Linux.Pressure;
using LivePatchd.Log;
using LivePatchd.Publish;

namespace LivePatchd.Loop;

/// <summary>On the loop's thread only.</summary>
internal sealed class GateDesk(
    Func<Instant, PressureSample> read, HoldBook holds, InhibitorTable inhibitors, TriggerWatch triggers, DaemonLog log) : IDisposable
{
    /// <summary>While nobody waits: often enough for rates to be known when somebody comes, seldom enough not to be noticed.</summary>
    private static readonly TimeSpan IdleEvery = TimeSpan.FromSeconds(10);

    private readonly List<Action> answers = [];
    private readonly Dictionary<Sha256, GateMemory> ownMemories = [];
    private GateMemory memory = GateMemory.Empty;

    /// <summary>As of the last reading; the one that steps are decided on is always new.</summary>
    public GateBoard Board { get; private set; } = GateBoard.AllOpen;

    /// <summary>Moment of the last reading; null before the first.</summary>
    public Instant? ReadAt { get; private set; }

    /// <summary>Boards of the patches whose manifest has gates of its own.</summary>
    public ImmutableDictionary<Sha256, GateBoard> OwnBoards { get; private set; } = ImmutableDictionary<Sha256, GateBoard>.Empty;

    /// <summary>Every reading, for whoever else can use it.</summary>
    public event Action<PressureSample>? Sampled;

    /// <summary>When to read again at the latest.</summary>
    public Instant NextReading { get; private set; }

    public TriggerWatch Triggers => triggers;

    public InhibitorTable Inhibitors => inhibitors;

    public GatesView View => GatesView.Of(
        Board, holds.Hold, [.. inhibitors.Locks.Select(i => new InhibitorView(i.Who, i.Why, i.Uid, i.Since.Wall))]);

    public void Open(string bootId, Instant now)
    {
        holds.Open(bootId, now);
        NextReading = now;
    }

    public bool IsDue(Instant now) => !now.IsBefore(NextReading);

    /// <summary>A trigger fired, or an inhibitor was let go.</summary>
    public void Rung(Instant now) => NextReading = now;

    /// <summary>
    /// Takes a reading and asks every gate. Called right before a step that has to pass them, at every ring, and now and then while nothing
    /// happens. True when what it says has changed but for the figures.
    /// </summary>
    public bool Ask(Instant now, GateSettings settings, DesiredState desired)
    {
        holds.Expire(now);
        inhibitors.Sweep(now);
        var question = new GateQuestion(
            read(now),
            triggers.TakeFired(),
            triggers.AreArmed,
            holds.Hold is { } hold ? [new OperatorHold(hold.Why, hold.Until)] : [],
            [.. inhibitors.Locks.Select(i => new Inhibitor(i.Who, i.Why))],
            settings,
            HostTimeZones.Find);
        Sampled?.Invoke(question.Sample);
        var before = Board;
        (memory, Board) = Gatekeeper.Ask(memory, question);
        AskForPatches(question, desired);
        ReadAt = now;
        NextReading = now.After(IdleEvery);
        return !Alike(before, Board);
    }

    /// <summary>The gates are asked when there is something to let through, so that the answer and the step belong to one moment.</summary>
    /// <returns>The plan, and what it was made from.</returns>
    public (Plan Plan, PlannerInput Input) Decide(PlannerInput input)
    {
        var free = Planner.Decide(input);
        var asked = IsDue(input.Now) || GateWaiters.AnyIn(free);
        if (asked)
            Ask(input.Now, input.Settings.Gates, input.Want);
        var gated = input with { Gates = Board, PatchGates = OwnBoards };
        return (asked || !Board.Open || OwnBoards.Values.Any(b => !b.Open) ? Planner.Decide(gated) : free, gated);
    }

    /// <summary>After the plan: while gates hold somebody back the kernel rings when pressure rises, and the next look is when the board says.</summary>
    /// <returns>When to look again; null when nobody waits.</returns>
    public Instant? Wait(bool somebody, GateSettings settings)
    {
        triggers.Want(somebody ? PressureTrigger.For(settings) : []);
        if (!somebody)
            return null;
        var next = Board.RetryAt;
        foreach (var own in OwnBoards.Values)
        {
            if (own.RetryAt is { } at && (next is not { } first || at.IsBefore(first)))
                next = at;
        }
        return next;
    }

    public void Carry(Command command, Instant now)
    {
        switch (command)
        {
            case Command.Hold hold:
                Instant? until = hold.Until is { } end ? now.After(end - now.Wall) : null;
                if (until is { } over && !now.IsBefore(over))
                    hold.Call?.ReplyError(BusErrors.InvalidArgument, "until_usec is in the past");
                else
                    AnswerLater(hold.Call, holds.Set(new StandingHold(hold.Why, hold.Uid, now, until)));
                break;
            case Command.Unhold unhold:
                AnswerLater(unhold.Call, holds.Release());
                break;
            case Command.Inhibit inhibit:
                Inhibit(inhibit, now);
                break;
        }
        NextReading = now;
    }

    /// <summary>After the snapshot is on its way to the bus: a caller must find there what it has done.</summary>
    public void Answer()
    {
        answers.ForEach(static a => a());
        answers.Clear();
    }

    public void Dispose()
    {
        triggers.Dispose();
        inhibitors.Dispose();
    }

    private void Inhibit(Command.Inhibit asking, Instant now)
    {
        // Nobody to hand it to.
        if (asking.Call is not { } call)
            return;
        var added = inhibitors.Add(new InhibitorLock(asking.Who, asking.Why, asking.Uid, call.Sender, now));
        if (added.Errno is Errno.EMFILE && added.Call == InhibitorTable.Limit)
        {
            call.ReplyError(BusErrors.LimitsExceeded, $"{InhibitorTable.MaxPerSender} inhibitors of one program or user, {InhibitorTable.MaxAll} in all");
            return;
        }
        if (!added.IsOk)
        {
            log.Problem(EventKind.InhibitorChanged, $"{asking.Who} cannot be given an inhibitor: {added.WithoutValue}", errno: added.Errno);
            call.ReplyError(BusErrors.Failed, added.WithoutValue.ToString());
            return;
        }
        var token = added.Value;
        // The message takes a duplicate: with our own copy closed, the holder's is the only one.
        answers.Add(() => call.Reply(w =>
        {
            using (token)
                w.WriteFd(token);
        }));
    }

    private void AnswerLater(BusCall? call, SysResult result) => answers.Add(() =>
    {
        if (result.IsOk)
            call?.Reply();
        else
            call?.ReplyError(BusErrors.Failed, $"{HoldBook.Path}: {result}");
    });

    private void AskForPatches(GateQuestion question, DesiredState desired)
    {
        var boards = ImmutableDictionary.CreateBuilder<Sha256, GateBoard>();
        foreach (var wanted in desired.Wanted)
        {
            if (wanted.Manifest?.Gates is null)
                continue;
            var digest = wanted.Module.Digest;
            // Until now the patch's gates have seen what the host's have: the same readings, from the same moment on.
            var known = ownMemories.GetValueOrDefault(digest) ?? memory;
            var own = GateOverlay.For(wanted.Manifest, question.Settings);
            (ownMemories[digest], boards[digest]) = Gatekeeper.Ask(known, question with { Settings = own });
        }
        foreach (var gone in ownMemories.Keys.Where(d => !boards.ContainsKey(d)).ToList())
            ownMemories.Remove(gone);
        OwnBoards = boards.ToImmutable();
    }

    private static bool Alike(GateBoard a, GateBoard b) =>
        a.Reason == b.Reason && a.Gates.Length == b.Gates.Length
        && a.Gates.Zip(b.Gates).All(p => p.First.Open == p.Second.Open && p.First.Available == p.Second.Available);
}
