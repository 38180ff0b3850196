// Every pair of state and event, written out: which moves are legal. One row a state, one column an event, in the order of the enums.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Lifecycle;

public sealed class EveryPairTests
{
    /// <summary>
    /// "+" legal, "." the daemon's own hand must never make it. Columns: CannotPatch, Refused, Blocked, Ready, LoadCalled, Enabling, Overdue,
    /// Cancelling, OnProbation, Patched, Leaving, Out, Replaced, SeenForeign, Quarantined, PinnedByForce.
    /// </summary>
    private static readonly (PatchState State, string Legal)[] Table =
    [
        (PatchState.Staged, "++++ ++++ ++++ ++++"),
        (PatchState.Held, "++++ .+++ ++++ ++++"),
        (PatchState.Loading, "++++ ++++ ++++ ++++"),
        (PatchState.Transitioning, "++++ .+++ ++++ ++++"),
        (PatchState.Stalled, "++++ .+++ ++++ ++++"),
        (PatchState.Reversing, "++++ .+++ ++++ ++++"),
        (PatchState.Soaking, "++++ .+++ ++++ ++++"),
        (PatchState.Active, "++++ .+++ .+++ ++++"),
        (PatchState.Reverting, "++++ .+++ ++++ ++++"),
        (PatchState.Reverted, "++++ .+++ ++++ ++++"),
        (PatchState.Superseded, "++++ .+++ ++++ ++++"),
        (PatchState.Quarantined, "++++ ...+ +.++ ++++"),
        (PatchState.Rejected, "++++ .+++ ++++ ++++"),
        (PatchState.Unsupported, "++++ .+++ ++++ ++++"),
        (PatchState.Foreign, "++++ .++. ++.+ ++++"),
        (PatchState.Forced, ".... .... .... ..++"),
    ];

    public static TheoryData<PatchState, LifecycleEvent, bool> Pairs
    {
        get
        {
            var pairs = new TheoryData<PatchState, LifecycleEvent, bool>();
            foreach (var (state, legal) in Table)
            {
                var cells = legal.Replace(" ", "", StringComparison.Ordinal);
                foreach (var e in Enum.GetValues<LifecycleEvent>())
                    pairs.Add(state, e, cells[(int)e] == '+');
            }
            return pairs;
        }
    }

    [Fact]
    public void The_table_is_whole()
    {
        Assert.Equal(Enum.GetValues<PatchState>(), Table.Select(t => t.State));
        Assert.All(Table, t => Assert.Equal(Enum.GetValues<LifecycleEvent>().Length, t.Legal.Count(c => c is '+' or '.')));
        Assert.Equal(256, Pairs.Count);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Legal(PatchState state, LifecycleEvent e, bool legal)
    {
        Assert.Equal(legal, TransitionMachine.IsLegal(state, e));
        var now = new Instant(TimeSpan.FromSeconds(2), DateTimeOffset.UnixEpoch);
        var (next, effects) = TransitionMachine.Step(new PatchLife(state, default), e, now);
        Assert.Equal(TransitionMachine.Target(e), next.State);
        // Standing still is no move, so nothing is reported of it.
        Assert.Equal(!legal && next.State != state, effects.OfType<Effect.ReportImpossible>().Any());
    }
}
