// Patches on probation as the loop sees them: when a line of the kernel is judged, what a look teaches the journal, what a load waits for.
using LivePatchd.Bus;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux.Kernel;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class ProbationDeskTests : IDisposable
{
    private static readonly ObservedState Active = Given.Seen(Given.Loaded(KernelPatchState.Active));
    private static readonly DesiredState Want = Given.Want(Given.File());

    /// <summary>No unit is judged, so that no systemd is needed.</summary>
    private static readonly Settings Soak = Settings.Default with
    {
        Soak = new SoakSettings(TimeSpan.FromMinutes(15), SoakConfirm.Automatic, new SoakChecks(CheckWeight.Suspect, CheckWeight.Suspect, CheckWeight.Off, [])),
    };

    private readonly Bench bench = new();
    private readonly JournalBook journal;
    private readonly DeskBench desks;
    private readonly HealthDesk health;
    private readonly KernelLogWindow window = new();
    private readonly ProbationDesk desk;
    private ulong sequence = 100;
    private int rings;

    public ProbationDeskTests()
    {
        journal = bench.Journal();
        desks = new DeskBench(bench);
        health = new HealthDesk(BusAddress.At($"unix:path={bench.Files.Path("/nobody")}"), bench.Root, bench.Clock, () => Interlocked.Increment(ref rings), bench.Log);
        desk = new ProbationDesk(health, window, desks.Gates, journal, bench.Clock, bench.Meter.Instruments, bench.Log);
    }

    public void Dispose()
    {
        health.Dispose();
        desks.Dispose();
        journal.Dispose();
        bench.Dispose();
    }

    private void Soaking(SoakConfirm confirm = SoakConfirm.Automatic)
    {
        foreach (var kind in new[] { RecordKind.LoadIntent, RecordKind.Loaded, RecordKind.Activated })
            Assert.True(journal.Record(Given.Record(kind) with { At = bench.Now, MustConfirm = confirm is SoakConfirm.Manual }));
    }

    private KernelLogRecord Line(string message, int priority = 3, int facility = 0) => new(priority, facility, ++sequence, bench.Now.Monotonic, message);

    private Instant? Hear(KernelLogRecord line)
    {
        window.Add(line);
        return desk.Heard(line);
    }

    private void Look(Settings? settings = null, KernelFacts? kernel = null) => desk.Look(Active with { Kernel = kernel ?? Given.Kernel }, Want, settings ?? Soak, bench.Now);

    [Fact]
    public void Heard_ReportDuringSoak_JudgedOnceItIsWhole()
    {
        Soaking();
        var first = bench.Now;
        Assert.Equal(first.After(KernelReports.Settle), Hear(Line("BUG: kernel NULL pointer dereference, address: 0")));
        bench.Time.Skip(TimeSpan.FromMilliseconds(100));
        // The report's own moment counts, not that of each of its lines.
        Assert.Equal(first.After(KernelReports.Settle), Hear(Line("BUG: another")));
    }

    [Fact]
    public void Heard_NothingSoaks_OfNoInterest() => Assert.Null(Hear(Line("BUG: kernel NULL pointer dereference, address: 0")));

    [Fact]
    public void Heard_WrittenByAProgramOrHarmless_OfNoInterest()
    {
        Soaking();
        Assert.Null(Hear(Line("BUG: forged", facility: 1)));
        Assert.Null(Hear(Line("livepatch: enabling patch", priority: 6)));
    }

    [Fact]
    public void Heard_WarningThatIsNoReport_CountersAreLookedAtNoMoreThanEveryThreeSeconds()
    {
        Soaking();
        Look();
        var looked = bench.Now;
        Assert.Equal(looked.After(TimeSpan.FromSeconds(3)), Hear(Line("nf_log: dropped", priority: 4)));
        bench.Time.Skip(TimeSpan.FromSeconds(10));
        Assert.Equal(bench.Now.After(KernelReports.Settle), Hear(Line("nf_log: dropped", priority: 4)));
    }

    [Fact]
    public void Look_ReportNamesThePatch_QuarantinedWhenWholeAndNotBefore()
    {
        Soaking();
        Look();
        Hear(Line("BUG: kernel NULL pointer dereference, address: 0"));
        Look();
        Assert.Empty(journal.Ledger.Quarantined);
        Assert.Equal(bench.Now.After(KernelReports.Settle), desk.Due);
        Hear(Line("RIP: 0010:f+0x5/0x10 [lp_one]"));
        bench.Time.Skip(KernelReports.Settle);
        Look();
        // The kernel counts after it has written: until then, and when it never does, it is text.
        Assert.Empty(journal.Ledger.Quarantined);
        Assert.Equal(bench.Now.After(TimeSpan.FromSeconds(1)), desk.Due);
        Look(kernel: Given.Kernel with { OopsCount = 1 });
        Assert.Equal(Reason.KernelOops, journal.Ledger.Quarantined[Given.Digest].Reason);
        Assert.Equal(1, bench.Said.Count("lp_one: quarantined: BUG: kernel NULL pointer"));
        Look();
        Assert.Null(desk.Due);
    }

    [Fact]
    public void Look_WarningsRise_CountedAndQuarantined()
    {
        Soaking();
        Look();
        Look(kernel: Given.Kernel with { WarnCount = 2 });
        Assert.Equal(2, bench.Meter.Value("livepatchd_kernel_warnings_after_load_total"));
        Assert.Equal(Reason.KernelWarning, journal.Ledger.Quarantined[Given.Digest].Reason);
    }

    [Fact]
    public void Look_FindingCannotBeWritten_LearnedAgain()
    {
        Soaking();
        bench.BreakState();
        // A confirmation waits for the disk; a finding counts at once.
        Look(Given.NoSoak);
        Assert.Empty(journal.Ledger.Confirmed);
        bench.MendState();
        journal.Open(Bench.Boot);
        Look(Given.NoSoak);
        Assert.Contains(Given.Digest, journal.Ledger.Confirmed);
        Assert.Equal(1, bench.Said.Count("the soak has passed"));
    }

    [Fact]
    public async Task Look_SoakPasses_RoundsAreMadeAndThePatchIsTrusted()
    {
        Soaking();
        var end = bench.Now.After(TimeSpan.FromMinutes(15));
        for (var round = 1; journal.Ledger.Confirmed.IsEmpty; round++)
        {
            Assert.InRange(round, 1, 10);
            Look();
            var expected = round;
            await Limit.Until(() => Volatile.Read(ref rings) == expected, () => bench.Said.Text);
            Look();
            if (desk.Due is { } due)
                bench.Time.Skip(due.Since(bench.Now));
        }
        Assert.False(bench.Now.IsBefore(end), "trusted too early");
        Assert.Null(desk.Due);
    }

    [Fact]
    public void Look_NobodyConfirmsInTime_Unconfirmed()
    {
        Soaking(SoakConfirm.Manual);
        Look();
        bench.Time.Skip(TimeSpan.FromMinutes(15));
        Look();
        Assert.True(journal.Ledger.IsUnconfirmed(Given.One, new PatchIdentity(Given.Digest, null)));
        Assert.Equal(1, bench.Said.Count("lp_one: not confirmed in time"));
    }

    [Fact]
    public void Look_PressureNeverComesBack_SoakProlongedAfterAMinute()
    {
        // The gates had their first reading before the load.
        desks.Gates.Ask(bench.Now, GateSettings.Default, DesiredState.Empty);
        Soaking();
        bench.Time.Skip(TimeSpan.FromTicks(1));
        for (var second = 0; second < 120 && journal.Ledger.Owned[Given.One].Coincidence is null; second += 2)
        {
            bench.Time.Skip(TimeSpan.FromSeconds(2));
            desks.IoFull += TimeSpan.FromSeconds(1);
            desks.Gates.Ask(bench.Now, GateSettings.Default, DesiredState.Empty);
            Look();
            if (second < 56)
                Assert.Null(journal.Ledger.Owned[Given.One].Coincidence);
        }
        Assert.Contains("pressure gates", journal.Ledger.Owned[Given.One].Coincidence, StringComparison.Ordinal);
        Assert.Empty(journal.Ledger.Quarantined);
        Assert.Equal(1, bench.Said.Count("lp_one: a coincidence, its soak is prolonged"));
    }

    [Fact]
    public void Look_PressureCameBackOnce_NotBlamedLater()
    {
        Soaking();
        for (var second = 0; second < 180; second += 2)
        {
            bench.Time.Skip(TimeSpan.FromSeconds(2));
            if (second > 20)
                desks.IoFull += TimeSpan.FromSeconds(1);
            desks.Gates.Ask(bench.Now, GateSettings.Default, DesiredState.Empty);
            Look();
        }
        Assert.Empty(journal.Ledger.Quarantined);
    }

    [Fact]
    public void Charge_Intent_BaselineOfThisMoment()
    {
        window.Add(Line("a line"));
        var input = Given.Input(Active with { Kernel = Given.Kernel with { OopsCount = 3 } }, Want, settings: Soak, now: bench.Now);
        var record = desk.Charge(Given.Record(RecordKind.LoadIntent), input);
        Assert.Equal((3ul, sequence), (record.Baseline!.OopsCount, record.Baseline.LogSequence));
        Assert.False(record.MustConfirm);
        var manual = input with { Settings = Soak with { Soak = Soak.Soak with { Confirm = SoakConfirm.Manual } } };
        Assert.True(desk.Charge(Given.Record(RecordKind.LoadIntent), manual).MustConfirm);
    }

    [Fact]
    public void Sample_NoKernelLog_SequenceUnknown() => Assert.Null(desk.Sample(Active, bench.Now).LogSequence);

    [Fact]
    public async Task MayBegin_LoadWhoseUnitsAreJudged_WaitsForTheListing()
    {
        var input = Given.Input(Given.Seen(), Want, settings: Settings.Default, now: bench.Now);
        var plan = Given.Plan(new PlanStep.Load(Given.One, Given.Digest));
        Assert.False(desk.MayBegin(plan, input));
        Assert.Equal(bench.Now.After(HealthDesk.ListingPatience), desk.Due);
        await Limit.Until(() => Volatile.Read(ref rings) == 1);
        Look();
        Assert.True(desk.MayBegin(plan, input));
    }

    [Fact]
    public void MayBegin_NothingToJudge_AtOnce()
    {
        var load = Given.Plan(new PlanStep.Load(Given.One, Given.Digest));
        Assert.True(desk.MayBegin(load, Given.Input(Given.Seen(), Want, settings: Soak)));
        Assert.True(desk.MayBegin(load, Given.Input(Given.Seen(), Want)));
        Assert.True(desk.MayBegin(Given.Plan(), Given.Input(Given.Seen(), Want, settings: Settings.Default)));
        Assert.True(desk.MayBegin(Given.Plan(new PlanStep.Disable(Given.One, Reason.NewVersion)), Given.Input(Active, Want, settings: Settings.Default)));
    }
}
