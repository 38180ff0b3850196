// Counts tasks by the unit or container of their process, under a bounded number of names.
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Linux.Tasks;

/// <summary>What a control group is called is remembered from pass to pass, so that nothing is allocated for one that is known.</summary>
internal sealed class UnitTally
{
    private const int MaxKnown = 1024;
    private const int LongestKnown = 512;

    private readonly Dictionary<byte[], string?> known = new(new ByText());
    private readonly Dictionary<string, int> counts = new(StringComparer.Ordinal);
    private int others;

    public void Start()
    {
        counts.Clear();
        others = 0;
    }

    /// <summary>Unit or container of a task with this text in its file `cgroup`; null for the root.</summary>
    public string? Owner(ReadOnlySpan<byte> cgroup)
    {
        var lookup = known.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(cgroup, out var name))
            return name;
        name = CgroupParser.Owner(cgroup);
        if (cgroup.Length > LongestKnown)
            return name;
        if (known.Count >= MaxKnown)
            known.Clear();
        known[cgroup.ToArray()] = name;
        return name;
    }

    public void Add(string name, int tasks)
    {
        if (counts.TryGetValue(name, out var before))
            counts[name] = before + tasks;
        else if (counts.Count < BlockerReport.MaxUnits)
            counts[name] = tasks;
        else
            others += tasks;
    }

    public ImmutableArray<BlockingUnit> Result()
    {
        var units = ImmutableArray.CreateBuilder<BlockingUnit>(counts.Count + 1);
        foreach (var (name, tasks) in counts)
            units.Add(new BlockingUnit(name, tasks, null));
        if (others > 0)
            units.Add(new BlockingUnit(BlockerReport.Others, others, null));
        return units.ToImmutable();
    }

    private sealed class ByText : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode([DisallowNull] byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = default(HashCode);
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
