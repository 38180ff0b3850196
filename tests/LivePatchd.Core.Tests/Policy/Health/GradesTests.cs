// Findings, their grades and what follows: the table of the documents, and what no sequence of findings may do.
using System.Collections.Immutable;
using System.Text;
using CsCheck;
using LivePatchd.Core.Config;
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;
using LivePatchd.Core.Tests.Planning;

namespace LivePatchd.Core.Tests.Policy.Health;

public sealed class GradesTests
{
    private static readonly string[] Users = ["user@1000.service", "user@0.service", "user-runtime-dir@1000.service", "session-3.scope", "docker-0a1b.scope", "run-u12.service", "run-user-1000.mount", "init.scope"];

    private static readonly Gen<HealthInput> Coincidences = Gen.Select(Gen.Int[0, 255], Gen.Bool, Gen.Bool).Select((units, open, closed) =>
    {
        var input = new HealthInput(ProbationTests.Calm with { FailedUnits = ["old.service", .. Users.Where((_, i) => (units >> i & 1) == 1)], PressureOpen = open });
        return closed ? input with { PressureClosedSince = input.PressureClosedSince.Add(ProbationTests.A, ProbationTests.At(39)).Add(ProbationTests.B, ProbationTests.At(39)) } : input;
    });

    [Fact]
    public void Table_IsThatOfTheDocument()
    {
        var text = new StringBuilder("""
            # Evidence

            What may be found while a patch soaks, how strongly it speaks against the patch, and what follows. Generated from
            `src/LivePatchd.Core/Policy/Health/Grades.cs`; a test compares the two.

            - **attributed**: the patch is taken out at once, and quarantined until `livepatchctl release`.
            - **suspect**: the patch is taken out at once and held (`suspected`). It is tried again after `transition.backoff.first`; when the same
              bytes are suspected once more, they are quarantined for `soak.quarantine` and then tried again. Suspects are tried one at a time.
              A soak that is passed clears them, and so does `livepatchctl release`.
            - **coincidence**: it is reported; the soak goes on, and begins anew once.

            The grades below are those of the word `suspect` in `soak.checks`. With `report` a finding of that check is a coincidence, with
            `attributed` it is attributed; pressure, whose word is `report` as shipped, is suspect with `suspect`. Units that fit
            `soak.checks.coincidental-units` are a coincidence in any case.

            | finding | grade |
            |---|---|

            """);
        foreach (var row in Grades.Table)
            text.Append($"| {row.Words} | {row.Grade.Word()} |\n");
        RepositoryFile.Check("docs/evidence.md", text.ToString());
    }

    [Fact]
    public void Table_KnowsEveryFindingOnce()
    {
        Assert.Equal(Enum.GetValues<FindingKind>().Order(), Grades.Table.Select(r => r.Kind).Order());
        Assert.All(Enum.GetValues<EvidenceGrade>(), g => Assert.Equal(g, Grades.Parse(g.Word())));
        Assert.Null(Grades.Parse("certain"));
    }

    private static (Ledger Ledger, ImmutableArray<JournalRecord> Learned) Run(IEnumerable<HealthInput> inputs, Ledger ledger)
    {
        var learned = ImmutableArray.CreateBuilder<JournalRecord>();
        var second = 110.0;
        foreach (var input in inputs)
        {
            foreach (var record in ProbationTests.Learn(input, ledger, second: second++))
            {
                learned.Add(record);
                ledger = LedgerFold.Apply(ledger, record);
            }
        }
        return (ledger, learned.ToImmutable());
    }

    [Fact]
    public void Learn_AnySequenceOfCoincidences_NothingIsTakenOutAndEachSoakIsProlongedOnce() => Coincidences.Array[1, 20].Sample(inputs =>
    {
        var (ledger, learned) = Run(inputs, ProbationTests.Both());
        Assert.Empty(ledger.Quarantined);
        Assert.All(ledger.Owned.Values, o => Assert.Null(Emergency.Of(o, ledger)));
        Assert.Equal(2, Probation.Suspects(ledger).Length);
        Assert.All(learned, r => Assert.Equal((RecordKind.Coincided, EvidenceGrade.Coincidence), (r.Kind, r.Grade)));
        Assert.Equal(learned.Length, learned.Select(r => r.Name).Distinct().Count());
        Assert.All(learned, r => Assert.Equal(ledger.Owned[r.Name].SoakFrom, r.At));
    });

    private static Settings With(SoakChecks checks) => Settings.Default with { Soak = SoakSettings.Default with { Checks = checks } };

    private static readonly SoakChecks Usual = SoakSettings.Default.Checks;

    private static HealthInput Pressed { get; } = new HealthInput(ProbationTests.Calm with { PressureOpen = false })
    {
        PressureClosedSince = ImmutableDictionary<PatchName, Instant>.Empty.Add(ProbationTests.A, ProbationTests.At(39)).Add(ProbationTests.B, ProbationTests.At(39)),
    };

    private static HealthInput Warned(string frame)
    {
        string[] lines = [$"WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2 [{frame}]", "Call Trace:"];
        return new HealthInput(ProbationTests.Calm with { WarnCount = 6, LogSequence = 300 }) { Lines = [.. lines.Select((l, i) => KernelLineTests.Line(4, l, 200 + (ulong)i, 105))] };
    }

    /// <summary>Per check and word: what is found in a report that names lp_b, one that names nobody, a failed unit of the system, and lasting pressure.</summary>
    [Theory]
    [InlineData(CheckWeight.Off, null, null, null, null)]
    [InlineData(CheckWeight.Report, EvidenceGrade.Coincidence, EvidenceGrade.Coincidence, EvidenceGrade.Coincidence, EvidenceGrade.Coincidence)]
    [InlineData(CheckWeight.Suspect, EvidenceGrade.Attributed, EvidenceGrade.Suspect, EvidenceGrade.Suspect, EvidenceGrade.Suspect)]
    [InlineData(CheckWeight.Attributed, EvidenceGrade.Attributed, EvidenceGrade.Attributed, EvidenceGrade.Attributed, EvidenceGrade.Attributed)]
    public void Learn_WordOfACheck_DecidesTheGrade(CheckWeight word, EvidenceGrade? named, EvidenceGrade? nobody, EvidenceGrade? unit, EvidenceGrade? pressure)
    {
        EvidenceGrade? Found(HealthInput input, SoakChecks checks)
        {
            var learned = ProbationTests.Learn(input, settings: With(checks), second: 110);
            Assert.All(learned, r => Assert.Equal((ProbationTests.B, r.Grade is EvidenceGrade.Coincidence ? RecordKind.Coincided : RecordKind.Quarantined), (r.Name, r.Kind)));
            return learned.SingleOrDefault()?.Grade;
        }

        Assert.Equal(named, Found(Warned("lp_b"), Usual with { Warnings = word }));
        Assert.Equal(nobody, Found(Warned("e1000"), Usual with { Warnings = word }));
        Assert.Equal(nobody, Found(new HealthInput(ProbationTests.Calm with { WarnCount = 6 }), Usual with { Warnings = word }));
        Assert.Equal(nobody, Found(new HealthInput(ProbationTests.Calm with { OopsCount = 4 }), Usual with { Oops = word }));
        Assert.Equal(unit, Found(new HealthInput(ProbationTests.Calm with { FailedUnits = ["old.service", "web.service"] }), Usual with { Units = word }));
        Assert.Equal(pressure, Found(Pressed, Usual with { Pressure = word }));
    }

    [Fact]
    public void Learn_UnitsOfAPatternOfTheHost_AreACoincidenceHoweverStronglyOthersCount()
    {
        var checks = Usual with { Units = CheckWeight.Attributed, Coincidental = ["batch-*.service"] };
        EvidenceGrade? Found(params string[] units) =>
            ProbationTests.Learn(new HealthInput(ProbationTests.Calm with { FailedUnits = ["old.service", .. units] }), settings: With(checks), second: 110).SingleOrDefault()?.Grade;
        Assert.Equal(EvidenceGrade.Coincidence, Found("batch-7.service"));
        Assert.Equal(EvidenceGrade.Attributed, Found("batch-7.service", "web.service"));
        Assert.Equal(EvidenceGrade.Attributed, Found("user@1000.service"));
        Assert.Null(ProbationTests.Learn(new HealthInput(ProbationTests.Calm with { FailedUnits = ["old.service", "batch-7.service"] }), settings: With(checks with { Units = CheckWeight.Off }), second: 110).SingleOrDefault());
    }

    [Fact]
    public void Learn_WhatIsOnlyReported_DoesNotHideWhatTakesOut()
    {
        var input = new HealthInput(ProbationTests.Calm with { WarnCount = 6, OopsCount = 4 });
        var found = Assert.Single(ProbationTests.Learn(input, settings: With(Usual with { Oops = CheckWeight.Report })));
        Assert.Equal((Reason.KernelWarning, EvidenceGrade.Suspect), (found.Reason, found.Grade));
    }

    [Fact]
    public void Learn_AttributedFaultAmongCoincidences_TakesOutOnceAndForGood() => Gen.Select(Coincidences.Array[0, 6], Coincidences.Array[0, 6]).Sample((before, after) =>
    {
        string[] lines = ["WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2 [lp_a]", "Call Trace:"];
        var fault = new HealthInput(ProbationTests.Calm with { WarnCount = 6, LogSequence = 300 }) { Lines = [.. lines.Select((l, i) => KernelLineTests.Line(4, l, 200 + (ulong)i, 105))] };
        var (ledger, learned) = Run([.. before, fault, fault, .. after.Select(i => i with { Sample = i.Sample with { WarnCount = 6, LogSequence = 300 } })], ProbationTests.Both());
        var finding = Assert.Single(learned, r => r.Kind is RecordKind.Quarantined);
        Assert.Equal((ProbationTests.A, EvidenceGrade.Attributed), (finding.Name, finding.Grade));
        Assert.NotNull(Emergency.Of(ledger.Owned[ProbationTests.A], ledger));
        Assert.Null(SecondChance.RetryAt(ledger.Quarantined[finding.Digest!.Value], "boot", Settings.Default, ProbationTests.At(1e9)));
        Assert.Null(Emergency.Of(ledger.Owned[ProbationTests.B], ledger));
    });

    private static JournalRecord Suspicion(double second) => Scene.Record(RecordKind.Quarantined, second, reason: Reason.KernelWarning, detail: "warn_count 0 -> 1") with { Grade = EvidenceGrade.Suspect };

    private static LivePatchd.Core.Planning.Verdict Decide(double second, params JournalRecord[] records) => new Scene { Journal = [.. records], Second = second }.Verdict;

    [Fact]
    public void Decide_Suspect_ComesBackAfterAPauseThenAfterTheQuarantineAndIsClearedByASoak()
    {
        var first = Decide(20, Suspicion(10));
        Assert.Equal((LifecycleEvent.Blocked, (Reason?)Reason.Suspected, (Instant?)Scene.At(310)), (first.Event, first.Reason, first.RetryAt));
        Assert.Equal(LifecycleEvent.Ready, Decide(310, Suspicion(10)).Event);
        var second = Decide(420, Suspicion(10), Suspicion(400));
        Assert.Equal((LifecycleEvent.Quarantined, (Reason?)Reason.KernelWarning, (Instant?)Scene.At(400 + 86400)), (second.Event, second.Reason, second.RetryAt));
        Assert.Equal(LifecycleEvent.Ready, Decide(400 + 86400, Suspicion(10), Suspicion(400)).Event);
        // However often: never for good.
        Assert.Equal(LifecycleEvent.Ready, Decide(1e6, [.. Enumerable.Range(0, 50).Select(i => Suspicion(10 + i))]).Event);
        var cleared = LedgerFold.Replay([Suspicion(10), Scene.Record(RecordKind.Confirmed, 400)], Suspicion(10).BootId);
        Assert.Empty(cleared.Quarantined);
        // What is attributed stays out, also after a soak that somebody confirmed.
        Assert.Equal(LifecycleEvent.Quarantined, Decide(1e8, Suspicion(10) with { Grade = EvidenceGrade.Attributed }).Event);
    }

    [Theory]
    // First time: five minutes of this boot, whatever the wall clock says.
    [InlineData(1, 5, 1100, 300)]
    [InlineData(1, 5, 1e6, 300)]
    [InlineData(1, 5, 1, 300)]
    // Then a day by the wall clock; not within the first hour, and at the latest after a day of this boot.
    [InlineData(2, 5, 1100, 5 + 86400 - 100)]
    [InlineData(2, 5, 1e6, 3600)]
    [InlineData(2, 70000, 1e6, 3600)]
    [InlineData(2, 5, 1, 86400)]
    [InlineData(2, 70000, 1, 86400)]
    public void RetryAt_FoundInAnotherBoot_AWallClockThatWasSetNeitherHastensNorKeepsItOut(int count, double up, double wall, double expected)
    {
        var mark = new QuarantineMark(Scene.Name, Reason.KernelOops, "", Scene.At(1000), "other") { Grade = EvidenceGrade.Suspect, Count = count };
        var now = new Instant(TimeSpan.FromSeconds(up), DateTimeOffset.UnixEpoch.AddSeconds(wall));
        Assert.Equal(TimeSpan.FromSeconds(expected), SecondChance.RetryAt(mark, "boot", Settings.Default, now)!.Value.Monotonic);
    }

    [Fact]
    public void Replay_SuspectAfterConviction_StaysOutUntilReleased()
    {
        var convicted = Suspicion(10) with { Grade = EvidenceGrade.Attributed };
        Assert.Equal(LifecycleEvent.Quarantined, Decide(1e8, convicted, Suspicion(400)).Event);
    }

    [Fact]
    public void Learn_HostGoesDownWhileASuspectIsBeingTakenOut_IsACrash()
    {
        var baseline = new HealthBaseline(0, 0, 0, [], true, 1);
        var intent = Scene.Record(RecordKind.LoadIntent, 1) with { Baseline = baseline };
        JournalRecord[] still = [intent, Suspicion(10)];
        Assert.Equal(Reason.HostCrashed, Assert.Single(CrashGuard.Learn([.. still], "next", new HashSet<string>(), Scene.At(1))).Reason);
        Assert.Empty(CrashGuard.Learn([.. still, Scene.Record(RecordKind.Gone, 11)], "next", new HashSet<string>(), Scene.At(1)));
    }

    [Fact]
    public void Against_LoadedAgainAfterASuspicion_OnlyWhatComesAfterIt()
    {
        JournalRecord Load(double second) => Scene.Record(RecordKind.LoadIntent, second);
        var boot = Suspicion(0).BootId;
        var again = LedgerFold.Replay([Load(1), Suspicion(10), Scene.Record(RecordKind.Gone, 11), Load(320)], boot);
        Assert.Null(Emergency.Of(again.Owned[Scene.Name], again));
        Assert.True(Probation.Concerns(again.Owned[Scene.Name], again));
        var twice = LedgerFold.Apply(again, Suspicion(330));
        Assert.NotNull(Emergency.Of(twice.Owned[Scene.Name], twice));
    }

    [Fact]
    public void Soak_DurationShortenedByAReload_TheLongerCounts()
    {
        var ledger = ProbationTests.Both();
        var none = Settings.Default with { Soak = SoakSettings.Default with { Duration = TimeSpan.Zero } };
        var hour = Settings.Default with { Soak = SoakSettings.Default with { Duration = TimeSpan.FromHours(1) } };
        var want = DesiredState.Empty;
        Assert.Equal(TimeSpan.FromMinutes(15), Probation.Soak(ledger.Owned[ProbationTests.A], want, none).Duration);
        Assert.Equal(TimeSpan.FromHours(1), Probation.Soak(ledger.Owned[ProbationTests.A], want, hour).Duration);
    }
}
