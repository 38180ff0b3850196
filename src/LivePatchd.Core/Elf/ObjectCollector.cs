// Gathers functions and callbacks that a file lists one by one into objects, in the order of first mention.
using System.Collections.Immutable;

namespace LivePatchd.Core.Elf;

internal sealed class ObjectCollector(TableBudget budget)
{
    private readonly Dictionary<string, int> places = [];
    private readonly List<ImmutableArray<PatchedFunction>.Builder> functions = [];
    private readonly List<(string Name, PatchCallbacks Callbacks)> objects = [];

    internal bool Add(string name, PatchedFunction function)
    {
        if (!budget.TakeFunction() || Find(name) is not { } place)
            return false;
        functions[place].Add(function);
        return true;
    }

    internal bool Add(string name, PatchCallbacks callbacks)
    {
        if (Find(name) is not { } place)
            return false;
        objects[place] = (name, objects[place].Callbacks | callbacks);
        return true;
    }

    internal ImmutableArray<PatchedObject> Objects() =>
        [.. objects.Select((o, i) => new PatchedObject(o.Name, functions[i].ToImmutable(), o.Callbacks))];

    private int? Find(string name)
    {
        if (places.TryGetValue(name, out var place))
            return place;
        if (!budget.TakeObject())
            return null;
        places.Add(name, objects.Count);
        objects.Add((name, PatchCallbacks.None));
        functions.Add(ImmutableArray.CreateBuilder<PatchedFunction>());
        return objects.Count - 1;
    }
}
