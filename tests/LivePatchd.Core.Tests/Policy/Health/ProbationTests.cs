// A patch on probation: every kind of evidence, who is blamed, what is held against nobody twice, and how a probation ends.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Policy.Health;

public sealed class ProbationTests
{
    private const string Boot = "boot";
    internal static readonly PatchName A = PatchName.Parse("lp_a");
    internal static readonly PatchName B = PatchName.Parse("lp_b");
    private static readonly CheckUnit Required = new("check-web.service", Required: true);
    private static readonly CheckUnit Wanted = new("check-fan.service", Required: false);

    internal static readonly HealthSample Calm = new(At(0), 3, 5, 0x8000, ["old.service"], true, 100);

    internal static Instant At(double second) => new(TimeSpan.FromSeconds(second), DateTimeOffset.UnixEpoch.AddSeconds(second));

    private static Sha256 Digest(PatchName name) => Sha256.TryParse(new string(name == A ? 'a' : 'b', 64))!.Value;

    private static JournalRecord Record(RecordKind kind, PatchName name, double second) => new(kind, name, Boot, At(second), Digest(name), Path: $"/p/{name}.ko");

    /// <summary>lp_a active from second 20 on, lp_b from 40 on; each with the calm baseline.</summary>
    internal static Ledger Both(HealthSample? baseline = null, Settings? settings = null, double load = 30)
    {
        var ledger = Ledger.Empty(Boot);
        foreach (var (name, second) in new[] { (A, load - 20), (B, load) })
        {
            ledger = LedgerFold.Apply(ledger, Probation.Charge(Record(RecordKind.LoadIntent, name, second), null, ledger, settings ?? Settings.Default, baseline ?? Calm));
            ledger = LedgerFold.Apply(ledger, Record(RecordKind.Loaded, name, second + 1));
            ledger = LedgerFold.Apply(ledger, Record(RecordKind.Activated, name, second + 10));
        }
        return ledger;
    }

    private static DesiredState Want(Manifest? manifest = null) => new(
        [.. new[] { A, B }.Select(n => new WantedPatch(new PatchModule(new ModuleInfo(n, "6.12.0 SMP", true, false, null, null, null, []), Digest(n), ModuleCompression.None, 1), $"/p/{n}.ko", manifest))], [], []);

    private static Manifest With(SoakOverrides soak) => new(null, null, [], null, [], Severity.Medium, null, [], [], null, null, []) { Soak = soak };

    private static Settings Soak(SoakSettings soak) => Settings.Default with { Soak = soak };

    private static Settings Unsoaked { get; } = Soak(SoakSettings.Default with { Duration = TimeSpan.Zero });

    private static Settings Checks(bool warnings = true, bool oops = true, bool units = true, params string[] commands) =>
        Soak(SoakSettings.Default with { Checks = new SoakChecks(Weight(warnings), Weight(oops), Weight(units), [.. commands]) });

    private static CheckWeight Weight(bool on) => on ? CheckWeight.Suspect : CheckWeight.Off;

    internal static ImmutableArray<JournalRecord> Learn(HealthInput input, Ledger? ledger = null, Settings? settings = null, DesiredState? want = null, double second = 50) =>
        Probation.Learn(input, ledger ?? Both(), want ?? Want(), settings ?? Settings.Default, At(second));

    /// <summary>With a trace, and the taint that such a report leaves.</summary>
    private static HealthInput Lines(params string[] lines) => new(Calm with
    {
        LogSequence = 300,
        Tainted = Calm.Tainted | (lines[0].StartsWith("WARNING: ", StringComparison.Ordinal) ? 1UL << 9 : lines[0].StartsWith("rcu: ", StringComparison.Ordinal) ? 0 : 1UL << 7),
    })
    {
        Lines = [.. lines.Append("Call Trace:").Select((l, i) => KernelLineTests.Line(4, l, 200 + (ulong)i, 45 + i * 0.001))],
    };

    private static HealthInput Change(HealthInput input, Func<LivePatchd.Core.Parsing.KernelLogRecord, LivePatchd.Core.Parsing.KernelLogRecord> change) => input with { Lines = [.. input.Lines.Select(change)] };

    private static void Quarantined(JournalRecord record, PatchName name, Reason reason, string detail)
    {
        Assert.Equal((RecordKind.Quarantined, name, (Sha256?)Digest(name), (Reason?)reason), (record.Kind, record.Name, record.Digest, record.Reason));
        Assert.Contains(detail, record.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', record.Detail!);
        Assert.NotNull(record.Baseline);
    }

    [Fact]
    public void A_calm_machine_teaches_nothing() => Assert.Empty(Learn(new HealthInput(Calm)));

    public static TheoryData<string, Reason, string> Signs { get; } = new()
    {
        { "oops", Reason.KernelOops, "oops_count 3 -> 4" },
        { "warn", Reason.KernelWarning, "warn_count 5 -> 6" },
        { "died", Reason.KernelTainted, "tainted 32768 -> 32896" },
        { "warned", Reason.KernelTainted, "tainted 32768 -> 33280" },
        { "locked", Reason.KernelTainted, "tainted 32768 -> 49152" },
        { "unit", Reason.UnitsFailed, "failed: new.service; before: 1" },
    };

    private static HealthSample Sign(string sign) => sign switch
    {
        "oops" => Calm with { OopsCount = 4 },
        "warn" => Calm with { WarnCount = 6 },
        "died" => Calm with { Tainted = 0x8000 | 1 << 7 },
        "warned" => Calm with { Tainted = 0x8000 | 1 << 9 },
        "locked" => Calm with { Tainted = 0x8000 | 1 << 14 },
        _ => Calm with { FailedUnits = ["new.service", "old.service"] },
    };

    [Theory]
    [MemberData(nameof(Signs))]
    public void A_new_sign_is_held_against_the_patch_loaded_last(string sign, Reason reason, string detail)
    {
        var record = Assert.Single(Learn(new HealthInput(Sign(sign))));
        Quarantined(record, B, reason, detail);
        // Once: the other one is judged by what comes after it.
        var ledger = LedgerFold.Apply(Both(), record);
        Assert.Equal(reason, ledger.Quarantined[Digest(B)].Reason);
        Assert.Empty(Learn(new HealthInput(Sign(sign)), ledger));
        Assert.Equal([A], Probation.Suspects(ledger).Select(s => s.Name));
        Quarantined(Assert.Single(Learn(new HealthInput(Calm with { OopsCount = 9 }), ledger)), A, Reason.KernelOops, "-> 9");
    }

    [Theory]
    [InlineData("oops", false, true, true)]
    [InlineData("oops", true, false, false)]
    [InlineData("warn", true, false, true)]
    [InlineData("warn", false, true, false)]
    [InlineData("died", true, false, false)]
    [InlineData("locked", true, false, false)]
    [InlineData("warned", false, true, false)]
    [InlineData("warned", true, false, true)]
    public void A_check_that_is_switched_off_finds_nothing(string sign, bool warnings, bool oops, bool found) =>
        Assert.Equal(found, !Learn(new HealthInput(Sign(sign)), settings: Checks(warnings, oops)).IsEmpty);

    [Fact]
    public void Other_taint_and_what_was_there_before_are_no_evidence()
    {
        Assert.Empty(Learn(new HealthInput(Calm with { Tainted = 0x8000 | 0x3000 | 1 })));
        Assert.Empty(Learn(new HealthInput(Calm with { FailedUnits = [] })));
        Assert.Empty(Learn(new HealthInput(Calm with { FailedUnits = null })));
        Assert.Empty(Learn(new HealthInput(Sign("unit")), settings: Checks(units: false)));
        Assert.Empty(Learn(new HealthInput(Sign("unit")), Both(Calm with { FailedUnits = null })));
        var many = Calm with { FailedUnits = [.. Enumerable.Range(0, 65).Select(i => $"u{i}.service")] };
        Assert.Empty(Learn(new HealthInput(many with { FailedUnits = ["new.service"] }), Both(many)));
    }

    [Fact]
    public void Without_counters_taint_and_log_decide()
    {
        var old = Calm with { OopsCount = null, WarnCount = null };
        var ledger = Both(old);
        Assert.Empty(Learn(new HealthInput(old), ledger));
        Quarantined(Assert.Single(Learn(new HealthInput(old with { Tainted = 0x8000 | 1 << 9 }), ledger)), B, Reason.KernelTainted, "tainted");
        var lines = Lines("WARNING: CPU: 0 PID: 1 at f.c:1 f+0x1/0x2 [lp_a]");
        var record = Assert.Single(Learn(lines with { Sample = old with { LogSequence = 300 } }, ledger));
        Quarantined(record, A, Reason.KernelWarning, "f.c:1");
        Assert.Null(record.Baseline!.WarnCount);
        // The taint of this very warning, which is set after its report, is no new evidence.
        Assert.Empty(Learn(new HealthInput(old with { Tainted = 0x8000 | 1 << 9 }), LedgerFold.Apply(ledger, record)));
    }

    [Fact]
    public void A_report_names_its_patches()
    {
        var one = Assert.Single(Learn(Lines("WARNING: CPU: 0 PID: 1 at f.c:1 f+0x1/0x2 [lp_a]", "---[ end trace 0 ]---")));
        Quarantined(one, A, Reason.KernelWarning, "WARNING: CPU: 0 PID: 1 at f.c:1 f+0x1/0x2 [lp_a]");
        var both = Learn(Lines("BUG: kernel NULL pointer dereference, address: 0", "RIP: 0010:f+0x1/0x2 [lp_b]", " g+0x1/0x2 [lp_a]", "---[ end trace 0 ]---"));
        Assert.Equal([A, B], both.Select(r => r.Name));
        var none = Assert.Single(Learn(Lines("rcu: INFO: rcu_sched self-detected stall on CPU", " f+0x1/0x2 [other]")));
        Quarantined(none, B, Reason.KernelLockup, "self-detected stall");
        Assert.Equal(0x8000UL | 1 << 14, none.Baseline!.Tainted);
        // Two reports of one patch are one quarantine.
        Assert.Single(Learn(Lines("WARNING: suspicious RCU usage", " f+0x1/0x2 [lp_a]", "---[ end trace 0 ]---", "WARNING: suspicious RCU usage", " f+0x1/0x2 [lp_a]")));
    }

    [Fact]
    public void A_report_is_counted_as_it_will_be_counted()
    {
        var record = Assert.Single(Learn(Lines("WARNING: CPU: 0 PID: 1 at f.c:1 f+0x1/0x2 [lp_b]")));
        Assert.Equal((6UL, 300UL), (record.Baseline!.WarnCount, record.Baseline.LogSequence));
        var ledger = LedgerFold.Apply(Both(), record);
        Assert.Empty(Learn(new HealthInput(Calm with { WarnCount = 6, Tainted = 0x8000 | 1 << 9, LogSequence = 300 }), ledger));
        Assert.Empty(Learn(Lines("WARNING: CPU: 0 PID: 1 at f.c:1 f+0x1/0x2 [lp_b]"), ledger));
        // Where the counter was quicker it is taken as it stands.
        var quick = Lines("BUG: kernel NULL pointer dereference, address: 0") with { Sample = Calm with { OopsCount = 4, LogSequence = 300 } };
        var oops = Assert.Single(Learn(quick));
        Assert.Equal((4UL, 0x8000UL | 1 << 7), (oops.Baseline!.OopsCount, oops.Baseline.Tainted));
        Assert.Contains("oops_count 3 -> 4", oops.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_that_the_kernel_did_not_count_is_no_evidence()
    {
        string[] oops = ["BUG: kernel NULL pointer dereference, address: 0", "RIP: 0010:f+0x1/0x2 [lp_a]", "Call Trace:"];
        Assert.Empty(Learn(Lines(oops) with { Sample = Calm with { LogSequence = 300 } }));
        Assert.Equal(A, Assert.Single(Learn(Lines(oops) with { Sample = Calm with { LogSequence = 300, OopsCount = 4 } })).Name);
        Assert.Equal(A, Assert.Single(Learn(Lines(oops))).Name);
        // Counted, and the text says nothing that it could be believed: only the counter speaks, and names nobody.
        var text = Lines("BUG: (77): Attempt to set a LOCK_MAND lock via flock(2).", "a+0x1/0x1 [lp_a] invoked oom-killer: gfp_mask=0xcc0");
        Quarantined(Assert.Single(Learn(text with { Sample = Calm with { LogSequence = 300, WarnCount = 6 } })), B, Reason.KernelWarning, "warn_count 5 -> 6");
        // Lockups, stalls and hung tasks are not counted: their form decides.
        string[] hung = ["INFO: task [lp_a]:55 blocked for more than 120 seconds.", "      Not tainted 6.12.0 #1", "\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.", "task:[lp_a]          state:D stack:0     pid:55"];
        Quarantined(Assert.Single(Learn(Lines(hung) with { Sample = Calm with { LogSequence = 300 } })), B, Reason.KernelLockup, "blocked for more than");
        foreach (var head in new[] { hung[0], "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [a:1]", "rcu: INFO: rcu_sched self-detected stall on CPU" })
            Assert.Empty(Learn(Lines(head) with { Sample = Calm with { LogSequence = 300 }, Lines = [.. Lines(head).Lines.Take(1)] }));
    }

    [Fact]
    public void Lines_from_before_the_load_and_of_programs_count_for_nothing()
    {
        var before = Lines("BUG: kernel NULL pointer dereference, address: 0");
        // The counters have a word of their own; here they are as before, on a kernel without them.
        var silent = before with { Sample = Calm with { OopsCount = null, WarnCount = null, LogSequence = 300 } };
        Assert.Single(Learn(silent));
        Assert.Empty(Learn(Change(silent, l => l with { Sequence = 100 })));
        Assert.Empty(Learn(Change(silent, l => l with { Facility = 1 })));
        Assert.Empty(Learn(before, settings: Checks(oops: false)));
        Assert.Empty(Learn(Lines("WARNING: suspicious RCU usage"), settings: Checks(warnings: false)));
        // Where the log's number at the load is not known its clock decides: lp_a was loaded at 10, lp_b at 30.
        var unknown = Both(Calm with { LogSequence = null });
        foreach (var (second, blamed) in new (double, PatchName?)[] { (5, null), (20, A), (45, B) })
            Assert.Equal(blamed, Learn(Change(silent, l => l with { Timestamp = TimeSpan.FromSeconds(second) }), unknown).Select(r => (PatchName?)r.Name).SingleOrDefault());
    }

    [Fact]
    public void A_patch_is_on_probation_from_its_intent_on()
    {
        var ledger = LedgerFold.Apply(Ledger.Empty(Boot), Probation.Charge(Record(RecordKind.LoadIntent, A, 10), null, Ledger.Empty(Boot), Settings.Default, Calm));
        Quarantined(Assert.Single(Learn(new HealthInput(Sign("oops")), ledger)), A, Reason.KernelOops, "oops_count");
        Assert.Null(Probation.EndsAt(ledger.Owned[A], ledger, Want(), Settings.Default));
        Assert.Null(Probation.NextCheck(ledger, Want(), Settings.Default, ImmutableDictionary<PatchName, Instant>.Empty));
        Assert.Empty(Probation.Due(ledger, Want(), Settings.Default, [], ImmutableDictionary<PatchName, Instant>.Empty, At(1e6)));
        Assert.Empty(Learn(new HealthInput(Calm), ledger, second: 1e6));
    }

    [Fact]
    public void A_record_without_a_baseline_is_judged_by_the_log_alone()
    {
        var ledger = LedgerFold.Replay([Record(RecordKind.LoadIntent, A, 10), Record(RecordKind.Activated, A, 20)], Boot);
        foreach (var sign in new[] { "oops", "warn", "died", "unit" })
            Assert.Empty(Learn(new HealthInput(Sign(sign)), ledger));
        Quarantined(Assert.Single(Learn(Lines("BUG: scheduling while atomic: a/1/0x2"), ledger)), A, Reason.KernelOops, "BUG");
        Quarantined(Assert.Single(Learn(Lines("WARNING: suspicious RCU usage"), ledger)), A, Reason.KernelWarning, "RCU");
        var pressed = new HealthInput(Calm with { PressureOpen = false });
        Assert.Empty(Learn(pressed with { PressureClosedSince = pressed.PressureClosedSince.Add(A, At(20)) }, ledger, second: 500));
    }

    [Fact]
    public void Nobody_on_probation_is_nobody_to_blame()
    {
        Assert.Empty(Learn(new HealthInput(Sign("oops")), Ledger.Empty(Boot)));
        var trusted = LedgerFold.Apply(LedgerFold.Apply(Both(), Record(RecordKind.Confirmed, A, 50)), Record(RecordKind.Confirmed, B, 50));
        Assert.Empty(Learn(Lines("BUG: scheduling while atomic: a/1/0x2"), trusted));
        var replaced = LedgerFold.Apply(Both(), Record(RecordKind.Superseded, A, 50) with { By = B, ByDigest = Digest(B) });
        Assert.Equal([B], Probation.Suspects(replaced).Select(s => s.Name));
    }

    [Fact]
    public void A_required_check_that_fails_is_evidence_and_a_wanted_one_is_not()
    {
        CheckResult Result(CheckUnit unit, bool passed = false, double began = 45) => new(unit, At(began), passed, "exit status 1");
        HealthInput With(params CheckResult[] results) => new(Calm) { Results = [.. results], Units = [Required, Wanted] };

        Quarantined(Assert.Single(Learn(With(Result(Wanted), Result(Required)))), B, Reason.HealthCheckFailed, "check-web.service failed; exit status 1");
        Assert.Empty(Learn(With(Result(Wanted), Result(Required, passed: true))));
        Quarantined(Assert.Single(Learn(With(Result(Wanted)), settings: Checks(commands: Wanted.Name))), B, Reason.HealthCheckFailed, Wanted.Name);
        // lp_b was active at 40, lp_a at 20.
        Assert.Equal(A, Assert.Single(Learn(With(Result(Required, began: 35)))).Name);
        Assert.Empty(Learn(With(Result(Required, began: 15))));
        // The unit of a check is a failed unit too; that is not held against anybody a second time.
        var failed = With(Result(Wanted)) with { Sample = Calm with { FailedUnits = ["old.service", Wanted.Name, "cmd.service"] } };
        Assert.Empty(Learn(failed, settings: Checks(commands: "cmd.service")));
        // What was judged already is not judged again.
        var once = LedgerFold.Apply(Both(), Assert.Single(Learn(With(Result(Required)))));
        Assert.Empty(Learn(With(Result(Required)), once, second: 51));
    }

    [Fact]
    public void A_patch_that_is_not_active_yet_is_not_blamed_for_a_check()
    {
        var ledger = LedgerFold.Apply(Ledger.Empty(Boot), Probation.Charge(Record(RecordKind.LoadIntent, A, 10), null, Ledger.Empty(Boot), Settings.Default, Calm));
        Assert.Empty(Learn(new HealthInput(Calm) { Results = [new(Required, At(45), false, "")] }, ledger));
    }

    [Theory]
    [InlineData(true, false, 100.0, 39.0, true)]
    [InlineData(true, false, 99.0, 39.0, false)]
    [InlineData(true, false, 110.0, 60.0, false)]
    [InlineData(true, true, 110.0, 39.0, false)]
    [InlineData(true, null, 110.0, 39.0, false)]
    [InlineData(false, false, 110.0, 39.0, false)]
    [InlineData(null, false, 110.0, 39.0, false)]
    [InlineData(true, false, 110.0, null, false)]
    public void Pressure_that_does_not_come_back_is_a_coincidence_after_a_minute(bool? before, bool? open, double second, double? closedSince, bool found)
    {
        var input = new HealthInput(Calm with { PressureOpen = open });
        if (closedSince is { } since)
            input = input with { PressureClosedSince = input.PressureClosedSince.Add(B, At(since)) };
        var learned = Learn(input, Both(Calm with { PressureOpen = before }), second: second);
        if (!found)
        {
            Assert.Empty(learned);
            return;
        }
        var record = Assert.Single(learned);
        Assert.Equal((RecordKind.Coincided, B, (Reason?)Reason.PressureNotBack, EvidenceGrade.Coincidence), (record.Kind, record.Name, record.Reason, record.Grade));
        Assert.Contains("closed for 61 s", record.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Pressure_is_nothing_against_a_patch_that_is_not_active()
    {
        var ledger = LedgerFold.Apply(Ledger.Empty(Boot), Probation.Charge(Record(RecordKind.LoadIntent, B, 10), null, Ledger.Empty(Boot), Settings.Default, Calm));
        var input = new HealthInput(Calm with { PressureOpen = false });
        Assert.Empty(Learn(input with { PressureClosedSince = input.PressureClosedSince.Add(B, At(10)) }, ledger, second: 1000));
    }

    private static readonly ImmutableDictionary<PatchName, Instant> Unchecked = ImmutableDictionary<PatchName, Instant>.Empty;

    [Fact]
    public void Rounds_are_due_at_once_after_1_5_and_15_minutes_and_at_the_end()
    {
        var ledger = LedgerFold.Apply(Both(), Record(RecordKind.Confirmed, B, 41));
        var settings = Soak(SoakSettings.Default with { Duration = TimeSpan.FromMinutes(20), Checks = SoakSettings.Default.Checks with { Commands = [Wanted.Name] } });
        var done = Unchecked;
        var seen = new List<double>();
        while (Probation.NextCheck(ledger, Want(), settings, done) is { } next)
        {
            Assert.Empty(Probation.Due(ledger, Want(), settings, [], done, At(next.Monotonic.TotalSeconds - 1)));
            var round = Assert.Single(Probation.Due(ledger, Want(), settings, [Required, Wanted], done, next.After(TimeSpan.FromSeconds(2))));
            Assert.Equal((A, next), (round.Name, round.Since));
            Assert.Equal([Wanted with { Required = true }, Required], round.Units);
            seen.Add(next.Monotonic.TotalMinutes);
            done = done.SetItem(A, next.After(TimeSpan.FromSeconds(2)));
        }
        Assert.Equal([0, 1, 5, 15, 20], seen.Select(m => Math.Round(m - 20 / 60.0, 3)));
        // Rounds that were missed are made up by one.
        Assert.Equal(At(20 + 300), Assert.Single(Probation.Due(ledger, Want(), settings, [], Unchecked, At(20 + 600))).Since);
        Assert.Equal(At(20), Probation.NextCheck(ledger, Want(), settings, Unchecked));
        Assert.Equal(At(20 + 1200), Probation.EndsAt(ledger.Owned[A], ledger, Want(), settings));
        Assert.Null(Probation.EndsAt(ledger.Owned[B], ledger, Want(), settings));
    }

    [Fact]
    public void The_earliest_round_of_all_patches_is_the_next()
    {
        Assert.Equal(At(20), Probation.NextCheck(Both(), Want(), Settings.Default, Unchecked));
        Assert.Equal(At(40), Probation.NextCheck(Both(), Want(), Settings.Default, Unchecked.Add(A, At(30))));
        Assert.Equal(At(80), Probation.NextCheck(Both(), Want(), Settings.Default, Unchecked.Add(A, At(30)).Add(B, At(45))));
    }

    [Fact]
    public void The_end_of_the_soak_confirms_once_its_round_is_over()
    {
        var end = 20 + 900;
        Assert.Empty(Learn(new HealthInput(Calm), second: end - 1));
        Assert.Empty(Learn(new HealthInput(Calm), second: end));
        Assert.Empty(Learn(new HealthInput(Calm) { CheckedAt = Unchecked.Add(A, At(end - 1)) }, second: end + 5));
        var record = Assert.Single(Learn(new HealthInput(Calm) { CheckedAt = Unchecked.Add(A, At(end)) }, second: end + 5));
        Assert.Equal((RecordKind.Confirmed, A), (record.Kind, record.Name));
        var ledger = LedgerFold.Apply(Both(), record);
        Assert.Contains(Digest(A), ledger.Confirmed);
        Assert.Empty(Learn(new HealthInput(Sign("oops")), LedgerFold.Apply(ledger, Record(RecordKind.Confirmed, B, 1000))));
        // A finding in the last round outweighs its end.
        Assert.Equal(RecordKind.Quarantined, Assert.Single(Learn(new HealthInput(Sign("oops")) { CheckedAt = Unchecked.Add(A, At(end)) }, second: end + 5)).Kind);
    }

    [Fact]
    public void Without_a_soak_active_is_confirmed() =>
        Assert.Equal([RecordKind.Confirmed, RecordKind.Confirmed], Learn(new HealthInput(Calm), Both(settings: Unsoaked), Unsoaked).Select(r => r.Kind));

    [Fact]
    public void What_must_be_confirmed_and_is_not_is_taken_out()
    {
        var manual = Soak(SoakSettings.Default with { Confirm = SoakConfirm.Manual, Duration = TimeSpan.FromSeconds(100) });
        var ledger = Both(settings: manual);
        Assert.True(ledger.Owned[A].MustConfirm);
        Assert.Empty(Learn(new HealthInput(Calm), ledger, manual, second: 119));
        var record = Assert.Single(Learn(new HealthInput(Calm) { CheckedAt = Unchecked.Add(A, At(120)) }, ledger, manual, second: 120));
        Assert.Equal((RecordKind.Unconfirmed, A, Reason.NotConfirmed), (record.Kind, record.Name, record.Reason));
        var after = LedgerFold.Apply(ledger, record);
        Assert.True(after.IsUnconfirmed(A, new PatchIdentity(Digest(A), null)));
        Assert.False(after.IsUnconfirmed(A, new PatchIdentity(Digest(B), null)));
        Assert.Empty(Learn(new HealthInput(Calm), after, manual, second: 121));
        Assert.Null(Probation.Confirm(A, after, At(121)));
        // An apply forgives it; a patch that never left the kernel has the whole time again.
        var again = LedgerFold.Apply(after, Record(RecordKind.OperatorApplied, A, 130));
        Assert.Equal(At(230), Probation.EndsAt(again.Owned[A], again, Want(), manual));
        Assert.Equal(RecordKind.Confirmed, Probation.Confirm(A, again, At(131))!.Kind);
    }

    [Fact]
    public void A_request_to_confirm_holds_for_the_file_that_was_staged_a_moment_before_and_is_loading()
    {
        var automatic = Soak(SoakSettings.Default with { Duration = TimeSpan.FromSeconds(100) });
        var loading = LedgerFold.Apply(Ledger.Empty(Boot), Probation.Charge(Record(RecordKind.LoadIntent, A, 1), null, Ledger.Empty(Boot), automatic, Calm));
        Assert.False(loading.Owned[A].MustConfirm);
        var asked = LedgerFold.Apply(loading, Record(RecordKind.OperatorApplied, A, 2) with { MustConfirm = true });
        var active = LedgerFold.Apply(asked, Record(RecordKind.Activated, A, 5));
        Assert.Equal(SoakConfirm.Manual, Probation.Soak(active.Owned[A], Want(), automatic).Confirm);
        Assert.Equal(RecordKind.Unconfirmed, Assert.Single(Learn(new HealthInput(Calm) { CheckedAt = Unchecked.Add(A, At(105)) }, active, automatic, second: 105)).Kind);
        // An apply without the wish does not take it back.
        Assert.True(LedgerFold.Apply(active, Record(RecordKind.OperatorApplied, A, 6)).Owned[A].MustConfirm);
    }

    [Fact]
    public void Whoever_applies_may_ask_to_confirm_and_has_time_for_it()
    {
        var none = Soak(SoakSettings.Default with { Duration = TimeSpan.Zero });
        var asked = LedgerFold.Apply(Ledger.Empty(Boot), Record(RecordKind.OperatorApplied, A, 1) with { MustConfirm = true });
        Assert.Equal([A], asked.ConfirmAsked);
        Assert.Empty(LedgerFold.Apply(asked, Record(RecordKind.OperatorApplied, A, 2)).ConfirmAsked);
        var ledger = LedgerFold.Apply(asked, Probation.Charge(Record(RecordKind.LoadIntent, A, 3), null, asked, none, Calm));
        Assert.Empty(ledger.ConfirmAsked);
        Assert.Null(Probation.Confirm(A, ledger, At(4)));
        Assert.Null(Probation.Confirm(B, ledger, At(4)));
        ledger = LedgerFold.Apply(ledger, Record(RecordKind.Activated, A, 5));
        Assert.Equal(At(5 + 900), Probation.EndsAt(ledger.Owned[A], ledger, Want(), none));
        Assert.Equal(SoakConfirm.Manual, Probation.Soak(ledger.Owned[A], Want(), none).Confirm);
        Assert.Empty(Learn(new HealthInput(Calm), ledger, none, second: 100));
        var confirmed = LedgerFold.Apply(ledger, Probation.Confirm(A, ledger, At(100))!);
        Assert.Null(Probation.Confirm(A, confirmed, At(101)));
        Assert.Empty(Learn(new HealthInput(Calm), confirmed, none, second: 1000));
    }

    [Fact]
    public void A_manifest_has_a_soak_of_its_own()
    {
        var want = Want(With(new SoakOverrides { Duration = TimeSpan.FromHours(1), Confirm = SoakConfirm.Manual }));
        var ledger = Both();
        Assert.Equal(At(20 + 3600), Probation.EndsAt(ledger.Owned[A], ledger, want, Settings.Default));
        Assert.True(Probation.Charge(Record(RecordKind.LoadIntent, A, 1), want.Wanted[0].Manifest, ledger, Settings.Default, Calm).MustConfirm);
    }

    [Fact]
    public void A_release_gives_a_patch_in_the_kernel_another_soak_from_then_on()
    {
        var found = Assert.Single(Learn(new HealthInput(Sign("warn"))));
        var ledger = LedgerFold.Apply(LedgerFold.Apply(Both(), found), Record(RecordKind.Released, B, 500));
        Assert.Empty(ledger.Quarantined);
        Assert.Equal(At(500 + 900), Probation.EndsAt(ledger.Owned[B], ledger, Want(), Settings.Default));
        Assert.Empty(Learn(new HealthInput(Sign("warn")), ledger, second: 501));
        Assert.Single(Learn(new HealthInput(Sign("oops")), ledger, second: 501));
    }

    [Fact]
    public void The_detail_is_bounded_whatever_the_kernel_wrote()
    {
        var record = Assert.Single(Learn(Lines("WARNING: CPU: 0 PID: 1 at " + new string('x', 5000))));
        Assert.InRange(record.Detail!.Length, 100, 513);
    }

    [Fact]
    public void Units_are_listened_for_only_while_somebody_is_judged_by_them()
    {
        static bool Judged(Ledger ledger, Settings? settings = null) => Probation.AreUnitsJudged(ledger, Want(), settings ?? Settings.Default);
        Assert.True(Judged(Both()));
        Assert.False(Judged(Ledger.Empty(Boot)));
        Assert.False(Judged(Both(), Checks(units: false)));
        Assert.False(Judged(Both(settings: Unsoaked), Unsoaked));
        // Which units had failed before is not known: no later failure says anything.
        Assert.False(Judged(Both(Calm with { FailedUnits = null })));
        var one = LedgerFold.Apply(Both(), Record(RecordKind.Confirmed, A, 60));
        Assert.True(Judged(one));
        Assert.False(Judged(LedgerFold.Apply(one, Record(RecordKind.Quarantined, B, 61) with { Reason = Reason.UnitsFailed })));
    }
}
