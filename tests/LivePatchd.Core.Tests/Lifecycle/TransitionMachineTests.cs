// The state machine's whole table: printed to docs/state-machine.md, and checked for what must never be in it.
using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Lifecycle;

public sealed partial class TransitionMachineTests
{
    private static readonly Instant Then = new(TimeSpan.FromSeconds(10), DateTimeOffset.UnixEpoch);
    private static readonly Instant Now = new(TimeSpan.FromSeconds(20), DateTimeOffset.UnixEpoch.AddSeconds(10));

    private static IEnumerable<(PatchState? From, LifecycleEvent Event, PatchLife Next, ImmutableArray<Effect> Effects)> Moves =>
        from state in Enum.GetValues<PatchState>().Cast<PatchState?>().Prepend(null)
        from e in Enum.GetValues<LifecycleEvent>()
        let step = TransitionMachine.Step(state is { } s ? new PatchLife(s, Then) : null, e, Now)
        select (state, e, step.Next, step.Effects);

    [Fact]
    public void The_document_is_the_table() => RepositoryFile.Check("docs/state-machine.md", Print());

    [Fact]
    public void Every_state_is_reached_by_exactly_one_event() =>
        Assert.Equal(Enum.GetValues<PatchState>().Order(), Enum.GetValues<LifecycleEvent>().Select(TransitionMachine.Target).Order());

    [Fact]
    public void A_move_is_announced_once_and_standing_still_is_not()
    {
        foreach (var (from, e, next, effects) in Moves)
        {
            Assert.Equal(TransitionMachine.Target(e), next.State);
            if (from == next.State)
            {
                Assert.Empty(effects);
                Assert.Equal(Then, next.Since);
                continue;
            }
            Assert.Equal(new Effect.Announce(from, next.State), Assert.Single(effects.OfType<Effect.Announce>()));
            Assert.Equal(Now, next.Since);
            Assert.Equal(from is { } state && !TransitionMachine.IsLegal(state, e), effects.OfType<Effect.ReportImpossible>().Any());
        }
    }

    [Fact]
    public void Step_HeldAndTriedAgain_PendingSinceTheFirstMoment()
    {
        LifecycleEvent[] tries =
        [
            LifecycleEvent.Blocked, LifecycleEvent.Ready, LifecycleEvent.LoadCalled, LifecycleEvent.Enabling, LifecycleEvent.Overdue,
            LifecycleEvent.Cancelling, LifecycleEvent.Blocked, LifecycleEvent.Ready,
        ];
        PatchLife? life = null;
        for (var i = 0; i < tries.Length; i++)
        {
            life = TransitionMachine.Step(life, tries[i], Now.After(TimeSpan.FromSeconds(i))).Next;
            Assert.Equal(Now, life.PendingSince);
            Assert.Equal(Now.After(TimeSpan.FromSeconds(i)), life.Since);
        }
        foreach (var end in new[] { LifecycleEvent.Patched, LifecycleEvent.OnProbation, LifecycleEvent.Out, LifecycleEvent.Quarantined, LifecycleEvent.Refused, LifecycleEvent.Replaced })
            Assert.Null(TransitionMachine.Step(life, end, Now).Next.PendingSince);
        // Wanted anew: the wait begins then.
        var reverted = TransitionMachine.Step(life, LifecycleEvent.Out, Now).Next;
        Assert.Equal(Now.After(TimeSpan.FromHours(1)), TransitionMachine.Step(reverted, LifecycleEvent.Ready, Now.After(TimeSpan.FromHours(1))).Next.PendingSince);
    }

    [Fact]
    public void An_operation_that_begins_ends_once_on_every_path()
    {
        // Begin and Finish alternate along every path of three moves, so along every path.
        var events = Enum.GetValues<LifecycleEvent>();
        foreach (var path in from a in events from b in events from c in events select new[] { a, b, c })
        {
            PatchLife? life = null;
            Operation? open = null;
            foreach (var e in path)
            {
                (life, var effects) = TransitionMachine.Step(life, e, Now);
                foreach (var effect in effects)
                {
                    if (effect is Effect.Finish finish)
                    {
                        Assert.Equal(open, finish.Operation);
                        open = null;
                    }
                    else if (effect is Effect.Begin begin)
                    {
                        Assert.Null(open);
                        open = begin.Operation;
                    }
                }
            }
            var under = life!.State is PatchState.Loading or PatchState.Transitioning or PatchState.Stalled ? Operation.Apply
                : life.State is PatchState.Reverting or PatchState.Reversing ? Operation.Revert
                : (Operation?)null;
            Assert.Equal(under, open);
        }
    }

    [Fact]
    public void Loads_begin_from_ready_patches_alone()
    {
        foreach (var state in Enum.GetValues<PatchState>())
            Assert.Equal(state is PatchState.Staged or PatchState.Loading, TransitionMachine.IsLegal(state, LifecycleEvent.LoadCalled));
    }

    [Theory]
    [InlineData(PatchState.Transitioning, LifecycleEvent.Patched, OperationResult.Done)]
    [InlineData(PatchState.Loading, LifecycleEvent.OnProbation, OperationResult.Done)]
    [InlineData(PatchState.Stalled, LifecycleEvent.Cancelling, OperationResult.Reversed)]
    [InlineData(PatchState.Loading, LifecycleEvent.Refused, OperationResult.Failed)]
    [InlineData(PatchState.Loading, LifecycleEvent.Blocked, OperationResult.Failed)]
    [InlineData(PatchState.Reverting, LifecycleEvent.Out, OperationResult.Done)]
    [InlineData(PatchState.Reversing, LifecycleEvent.Out, OperationResult.Done)]
    [InlineData(PatchState.Reversing, LifecycleEvent.Enabling, OperationResult.Reversed)]
    [InlineData(PatchState.Reverting, LifecycleEvent.Patched, OperationResult.Failed)]
    public void Ends_have_their_results(PatchState from, LifecycleEvent e, OperationResult result) =>
        Assert.Equal(result, Assert.Single(TransitionMachine.Step(new PatchLife(from, Then), e, Now).Effects.OfType<Effect.Finish>()).Result);

    private static string Print()
    {
        var text = new StringBuilder("""
            # The life of a patch

            At each look the daemon turns what it sees of a patch into one event, and the event says the state: the kernel is the truth, so the target depends on the
            event alone. The table says what a move starts and ends, and which moves the daemon must never make itself: those are reported as a bug, and the state is
            shown all the same. This page is generated from `src/LivePatchd.Core/Lifecycle`; a test compares the two.

            ## Events

            | event | what is true | state |
            |---|---|---|

            """);
        var source = File.ReadAllText(RepositoryFile.PathOf("src/LivePatchd.Core/Lifecycle/LifecycleEvent.cs"));
        var meanings = Meaning().Matches(source).ToDictionary(m => m.Groups["name"].Value, m => m.Groups["text"].Value);
        foreach (var e in Enum.GetValues<LifecycleEvent>())
            text.Append($"| {e} | {meanings[e.ToString()]} | `{TransitionMachine.Target(e).Word()}` |\n");
        text.Append("\n## Moves\n\nA patch seen for the first time comes from *none*. Moves without an entry in the last column are announced and have no further effect.\n\n| from | event | to | effects |\n|---|---|---|---|\n");
        foreach (var (from, e, next, effects) in Moves.Where(m => m.From != m.Next.State))
            text.Append($"| {(from is { } state ? $"`{state.Word()}`" : "*none*")} | {e} | `{next.State.Word()}` | {string.Join("; ", effects.Select(Say).Where(s => s.Length > 0))} |\n");
        return text.ToString();
    }

    private static string Say(Effect effect) => effect switch
    {
        Effect.Begin b => $"{b.Operation} begins".ToLowerInvariant(),
        Effect.Finish f => $"{f.Operation} ends: {f.Result}".ToLowerInvariant(),
        Effect.ReportImpossible => "**reported as a bug**",
        _ => "",
    };

    [GeneratedRegex(@"<summary>(?<text>[^<]+)</summary>\s+(?<name>\w+),")]
    private static partial Regex Meaning();
}
