// The history: bounds, and a text that comes back as it was, or not at all.
using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using CsCheck;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using static LivePatchd.Core.Tests.Policy.Impact.Samples;

namespace LivePatchd.Core.Tests.Policy.Impact;

public sealed class HistoryTests
{
    private static HistoryEntry Entry(string name, int number, bool known = true) => new(
        Start.Wall.AddSeconds(number), PatchName.Parse(name), null, Operation.Apply, OperationResult.Done,
        ImpactMeasure.Measure(new ImpactWindow(
            known ? [Sample(-60), Sample(-1, io: 0.5)] : [],
            [known ? Sample(0, io: 0.5) : Unknown(0), known ? Sample(0.3, io: 0.7654321, again: 2, sent: 9) : Unknown(0.3)],
            [],
            [new PhaseSpan(ImpactPhase.Load, At(0), At(0.1)), new PhaseSpan(ImpactPhase.Transition, At(0.1), At(0.3))])));

    private static byte[] Text(ImmutableArray<HistoryEntry> entries)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
            ImpactJson.WriteHistory(json, entries);
        return bytes.WrittenSpan.ToArray();
    }

    [Fact]
    public void The_latest_of_each_patch_are_kept_in_order() => Gen.Int[0, 30].Array[0, 600].Sample(names =>
    {
        var history = ImmutableArray<HistoryEntry>.Empty;
        for (var i = 0; i < names.Length; i++)
            history = History.Add(history, Entry($"lp_{names[i]}", i));
        Assert.InRange(history.Length, Math.Min(names.Length, 1), History.MaxEntries);
        Assert.All(history.GroupBy(e => e.Patch), g => Assert.InRange(g.Count(), 1, History.MaxPerPatch));
        Assert.True(history.Zip(history.Skip(1)).All(p => p.First.Time < p.Second.Time));
        if (names.Length > 0)
            Assert.Same(history[^1], History.Latest(history, PatchName.Parse($"lp_{names[^1]}")));
    });

    [Fact]
    public void What_is_written_is_read_back()
    {
        ImmutableArray<HistoryEntry> entries =
        [
            Entry("lp_one", 1),
            Entry("lp_two", 2, known: false) with { Operation = Operation.Revert, Result = OperationResult.Failed },
            Entry("lp_one", 3) with { Digest = Sha256.TryParse(new string('a', 64)), Result = OperationResult.Reversed },
        ];
        var text = Text(entries);
        var back = ImpactJson.ReadHistory(text);
        Assert.Equal(3, back!.Value.Length);
        Assert.Equal(Encoding.UTF8.GetString(text), Encoding.UTF8.GetString(Text(back.Value)));
        Assert.Equal(entries[0].Impact.During, back.Value[0].Impact.During);
        Assert.Equal(TimeSpan.FromSeconds(0.1), back.Value[0].Load);
        Assert.Equal(TimeSpan.FromSeconds(0.2), back.Value[0].Transition);
        Assert.Null(back.Value[1].Impact.During!.IoStall);
        Assert.Null(back.Value[1].Transition);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"schema":2,"entries":[]}""")]
    [InlineData("""{"schema":1,"entries":[{}]}""")]
    [InlineData("""{"schema":1,"entries":[]} more""")]
    public void What_is_no_history_is_none(string text) => Assert.Null(ImpactJson.ReadHistory(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Damage_is_told_or_harmless_and_never_thrown()
    {
        var whole = Text([Entry("lp_one", 1), Entry("lp_two", 2)]);
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte).Sample((at, value) =>
        {
            Assert.Null(ImpactJson.ReadHistory(whole.AsSpan(0, at)));
            var changed = (byte[])whole.Clone();
            changed[at] = value;
            if (ImpactJson.ReadHistory(changed) is { } read)
                Assert.NotNull(ImpactJson.ReadHistory(Text(read)));
        });
    }
}
