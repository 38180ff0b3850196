// The diagram in docs/architecture.md: the machine's states by the operation they belong to, and what moves between them begin and end.
using System.Text;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Lifecycle;

public sealed class StateDiagramTests
{
    private const string Document = "docs/architecture.md";
    private const string Begin = "<!-- state diagram: begin -->\n";
    private const string End = "<!-- state diagram: end -->";

    private static readonly (string Id, string Title)[] Groups =
        [("rest", "nothing under way"), ("apply", "an apply is under way"), ("runs", "every task runs it"), ("revert", "a revert is under way")];

    [Fact]
    public void The_document_shows_the_machine()
    {
        var text = File.ReadAllText(RepositoryFile.PathOf(Document));
        var from = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var to = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(from >= Begin.Length && to >= from, "the marks are missing");
        RepositoryFile.Check(Document, text[..from] + Print() + text[to..]);
    }

    [Fact]
    public void Every_state_is_in_one_group_and_every_group_has_states() =>
        Assert.Equal(Groups.Select(g => g.Id).Order(), Enum.GetValues<PatchState>().Select(Group).Distinct().Order());

    private static string Print()
    {
        var text = new StringBuilder("```mermaid\nstateDiagram-v2\n    direction LR\n");
        foreach (var (id, title) in Groups)
        {
            text.Append($"    state \"{title}\" as {id} {{\n");
            foreach (var state in Enum.GetValues<PatchState>().Where(s => Group(s) == id))
                text.Append($"        {state.Word()}\n");
            foreach (var (from, to) in Within(id))
                text.Append($"        {from.Word()} --> {to.Word()}\n");
            text.Append("    }\n");
        }
        foreach (var (a, _) in Groups)
        {
            foreach (var (b, _) in Groups.Where(g => g.Id != a))
                text.Append($"    {a} --> {b}: {Label(a, b)}\n");
        }
        return text.Append("```\n").ToString();
    }

    /// <summary>The moves inside a group that is about one operation; of those at rest nearly every one is possible.</summary>
    private static IEnumerable<(PatchState From, PatchState To)> Within(string id) => id == "rest"
        ? []
        : Moves().Where(m => Group(m.From) == id && Group(m.To) == id).Select(m => (m.From, m.To));

    private static string Label(string from, string to)
    {
        var effects = Moves().Where(m => Group(m.From) == from && Group(m.To) == to).Select(m => m.Effects).Distinct().Order(StringComparer.Ordinal);
        var label = string.Join(" / ", effects.Select(e => e.Length == 0 ? "seen" : e));
        // A load is the one thing that begins in certain states alone. The notation has no arrow from a state of one group to a state of another.
        var loads = Loads().Where(s => Group(s) == from).Select(s => s.Word()).ToList();
        return to == "apply" && loads.Count > 0 ? $"{label} (a load, from {string.Join(", ", loads)} alone)" : label;
    }

    private static IEnumerable<PatchState> Loads() =>
        Enum.GetValues<PatchState>().Where(s => TransitionMachine.IsLegal(s, LifecycleEvent.LoadCalled));

    private static IEnumerable<(PatchState From, PatchState To, string Effects)> Moves() =>
        from state in Enum.GetValues<PatchState>()
        from e in Enum.GetValues<LifecycleEvent>()
        where TransitionMachine.IsLegal(state, e) && TransitionMachine.Target(e) != state
        let step = TransitionMachine.Step(new PatchLife(state, default), e, default)
        select (state, step.Next.State, string.Join(", ", step.Effects.Select(Say).Where(s => s.Length > 0)));

    /// <summary>By what the machine itself says of a move into the state: what it begins, or how it ends an apply.</summary>
    private static string Group(PatchState state)
    {
        var into = Enum.GetValues<LifecycleEvent>().Single(e => TransitionMachine.Target(e) == state);
        var begun = TransitionMachine.Step(null, into, default).Effects.OfType<Effect.Begin>().SingleOrDefault();
        if (begun is not null)
            return begun.Operation is Operation.Apply ? "apply" : "revert";
        var ended = TransitionMachine.Step(new PatchLife(PatchState.Transitioning, default), into, default).Effects.OfType<Effect.Finish>().Single();
        return ended.Result is OperationResult.Done ? "runs" : "rest";
    }

    private static string Say(Effect effect) => effect switch
    {
        Effect.Begin b => $"{b.Operation} begins".ToLowerInvariant(),
        Effect.Finish f => $"{f.Operation} {f.Result}".ToLowerInvariant(),
        _ => "",
    };
}
