// Which failed units are held against a patch, by when they failed and by what they were before its load.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;

namespace LivePatchd.Core.Tests.Policy.Health;

public sealed class UnitFactsTests
{
    private const double Load = 10_000;

    private static readonly TimeSpan Uptime = TimeSpan.FromMinutes(10);

    private static TimeSpan At(double second) => TimeSpan.FromSeconds(second);

    private static readonly UnitFacts Steady = new(At(Load + 5), At(100), 0, IsTransient: false, IsPerConnection: false);

    [Fact]
    public void HasStanding_EachCase_AsTheDocumentSays()
    {
        bool Standing(UnitFacts facts) => facts.HasStanding(ProbationTests.At(Load), Uptime);
        Assert.True(Standing(Steady));
        Assert.True(Standing(Steady with { UpSince = At(Load - 600) }));
        Assert.False(Standing(Steady with { UpSince = At(Load - 599) }));
        Assert.False(Standing(Steady with { UpSince = null }));
        Assert.False(Standing(Steady with { IsTransient = true }));
        Assert.False(Standing(Steady with { IsPerConnection = true }));
        // Restarted by systemd in the hour before, or before that.
        Assert.False(Standing(Steady with { Restarts = 1, UpSince = At(Load - 3599) }));
        Assert.True(Standing(Steady with { Restarts = 1, UpSince = At(Load - 3600) }));
        // Started after the load: by somebody, or again and again because it dies of the patch.
        Assert.False(Standing(Steady with { UpSince = At(Load + 1) }));
        Assert.True(Standing(Steady with { UpSince = At(Load + 1), Restarts = 4 }));
    }

    private static EvidenceGrade? Found(UnitFacts? facts, double load, PatchName? blamed = null)
    {
        var input = new HealthInput(ProbationTests.Calm with { FailedUnits = ["old.service", "web.service"] });
        if (facts is not null)
            input = input with { UnitFacts = input.UnitFacts.Add("web.service", facts) };
        var learned = ProbationTests.Learn(input, ProbationTests.Both(load: load), second: load + 100);
        Assert.All(learned, r => Assert.Equal(blamed ?? ProbationTests.B, r.Name));
        return learned.IsEmpty ? null : Assert.Single(learned).Grade;
    }

    [Fact]
    public void Learn_FailedBeforeTheLoad_IsHeldAgainstNobodyThoughItWasNotListed()
    {
        // lp_a was loaded 20 seconds before lp_b.
        Assert.Null(Found(Steady with { ChangedAt = At(Load - 20.4) }, Load));
        Assert.Equal(EvidenceGrade.Suspect, Found(Steady with { ChangedAt = At(Load - 19.6) }, Load, ProbationTests.A));
        Assert.Equal(EvidenceGrade.Suspect, Found(Steady with { ChangedAt = At(Load + 0.4) }, Load));
        Assert.Equal(EvidenceGrade.Suspect, Found(Steady with { ChangedAt = null }, Load));
    }

    [Fact]
    public void Learn_UnitWithoutStanding_IsACoincidence()
    {
        Assert.Equal(EvidenceGrade.Coincidence, Found(Steady with { IsTransient = true }, Load));
        Assert.Equal(EvidenceGrade.Suspect, Found(Steady, Load));
        // What systemd did not say is not held for the unit.
        Assert.Equal(EvidenceGrade.Suspect, Found(null, Load));
    }
}
