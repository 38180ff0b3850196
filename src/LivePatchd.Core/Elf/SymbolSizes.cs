// How large the data objects of a module are by its symbol table: where an array ends.
namespace LivePatchd.Core.Elf;

internal sealed class SymbolSizes
{
    private const int MaxSymbols = 65_536;

    private readonly Dictionary<Place, long> sizes = [];

    private SymbolSizes()
    {
    }

    /// <summary>Without any sizes when there are too many symbols.</summary>
    internal static SymbolSizes Read(ElfSymbols symbols)
    {
        var read = new SymbolSizes();
        if (symbols.Count > MaxSymbols)
            return read;
        for (var i = 1; i < symbols.Count; i++)
        {
            if (symbols.Type(i) != ElfSymbols.DataObject || symbols.Size(i) is 0 or > int.MaxValue || symbols.Value(i) > int.MaxValue)
                continue;
            var place = new Place(symbols.Section(i), (long)symbols.Value(i));
            var size = (long)symbols.Size(i);
            // Two sizes for one place are as good as none.
            if (!read.sizes.TryAdd(place, size) && read.sizes[place] != size)
                read.sizes[place] = 0;
        }
        return read;
    }

    internal long? At(Place place) => sizes.TryGetValue(place, out var size) && size > 0 ? size : null;
}
