// Facts of one patch, read right before its load, over those of all that wait.
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Core.Tests.Policy.Preflight;

public sealed class PreflightFactsTests
{
    [Fact]
    public void Facts_of_one_patch_leave_those_of_others()
    {
        static Sha256 Digest(char id) => Sha256.TryParse(new string(id, 64))!.Value;
        static PreflightFacts About(char id, bool stranger) => PreflightFacts.None with
        {
            Symbols = PreflightFacts.None.Symbols.Add(Digest(id), SymbolFacts.AllFound),
            Strangers = stranger ? [Digest(id)] : [],
        };

        var both = About('b', stranger: true).Over(About('a', stranger: true));
        Assert.Equal([Digest('a'), Digest('b')], both.Strangers.OrderBy(d => d.ToString(), StringComparer.Ordinal));
        Assert.Equal(2, both.Symbols.Count);
        // Somebody enrolled the key.
        Assert.Equal([Digest('b')], About('a', stranger: false).Over(both).Strangers);
    }

    [Fact]
    public void What_was_not_asked_for_is_still_known_and_what_was_is_known_anew()
    {
        static TracedFunction Held(string name) => new(name, null, IpModify: true, IsDirect: false, null, null);
        static ProbePoint Probe(string name) => new(name, 0, null, IsReturn: false, OnFtrace: false, IsOff: false);
        static ProbeEvent Event(string name) => new("p/" + name, name, 0, null, IsReturn: false);

        var all = PreflightFacts.None with
        {
            Trace = new TraceFacts([Held("one"), Held("two")], [Probe("one"), Probe("two")], [Event("one"), Event("two")], []),
            LoadedModules = ["target1", "target2"],
            Dependencies = ["needed1", "needed2"],
            AskedModules = ["target1", "target2", "needed1", "needed2"],
            AskedFunctions = ["one", "two"],
        };
        var one = PreflightFacts.None with { AskedModules = ["target1", "needed1"], AskedFunctions = ["one"] };
        var merged = one.Over(all);
        Assert.Equal("two", Assert.Single(merged.Trace.Functions).Name);
        Assert.Equal("two", Assert.Single(merged.Trace.Probes).Symbol);
        Assert.Equal("two", Assert.Single(merged.Trace.Events).Symbol);
        Assert.Equal(["target2"], merged.LoadedModules);
        Assert.Equal(["needed2"], merged.Dependencies);
        var back = (one with { LoadedModules = ["target1"], Trace = new TraceFacts([Held("one")], [], [], []) }).Over(merged);
        Assert.Equal(["target1", "target2"], back.LoadedModules.Order(StringComparer.Ordinal));
        Assert.Equal(["one", "two"], back.Trace.Functions.Select(f => f.Name).Order(StringComparer.Ordinal));
    }
}
