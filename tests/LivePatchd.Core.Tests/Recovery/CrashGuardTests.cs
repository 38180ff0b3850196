// After a crash: which patches were on probation, which ends of boots close an intent, and what is kept of old boots.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class CrashGuardTests
{
    private static readonly PatchName One = PatchName.Parse("lp_one");
    private static readonly PatchName Two = PatchName.Parse("lp_two");
    private static readonly Sha256 Digest = Sha256.TryParse(new string('1', 64))!.Value;
    private static readonly Sha256 Other = Sha256.TryParse(new string('2', 64))!.Value;
    private static readonly HealthBaseline Calm = new(0, 0, 0, [], true, 1);
    private static readonly HashSet<string> None = [];

    private static Instant At(int second) => new(TimeSpan.FromSeconds(second), new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero).AddSeconds(second));

    private static JournalRecord R(RecordKind kind, string boot = "old", int second = 5, Sha256? digest = null) =>
        new(kind, One, boot, At(second), digest ?? Digest) { Baseline = kind is RecordKind.LoadIntent or RecordKind.Adopted ? Calm : null };

    private static ImmutableArray<JournalRecord> Learn(IEnumerable<JournalRecord> records, params string[] clean) =>
        CrashGuard.Learn([.. records], "new", clean.ToHashSet(), At(1));

    /// <summary>Written in the boot "old", and begins with the words of a panic.</summary>
    private static CrashDump Dump(int second, params string[] frames) => CrashDump.Read(
        [new CrashFile("dmesg-erst-1", At(second).Wall, "Panic#1 Part1\n<0>[    1.0] Kernel panic - not syncing: Fatal exception\n<4>[    1.0] Call Trace:\n" + string.Concat(frames.Select(f => $"<4>[    1.0]  {f}\n")))]).Single();

    private static ImmutableArray<JournalRecord> LearnFrom(CrashDump dump, params IEnumerable<JournalRecord> records) =>
        CrashGuard.Learn([.. records], "new", None, At(1), () => [dump], "old");

    [Fact]
    public void Learn_KernelBlamesOne_ThatOneIsConvictedAndTheOthersAreFree()
    {
        var other = R(RecordKind.LoadIntent, digest: Other) with { Name = Two };
        var learned = LearnFrom(Dump(9, "lp_two_init+0x1/0x2 [lp_two]"), R(RecordKind.LoadIntent), other);
        Assert.Equal([(Two, RecordKind.Quarantined, EvidenceGrade.Attributed), (One, RecordKind.Abandoned, default)], learned.Select(l => (l.Name, l.Kind, l.Grade)));
        Assert.Equal("loaded at 2026-03-01 12:00:05Z, and that boot ended without a shutdown; the kernel's record of it names the patch; Kernel panic - not syncing: Fatal exception", learned[0].Detail);
        Assert.Empty(CrashGuard.Learn([R(RecordKind.LoadIntent), other, .. learned], "newest", None, At(1)));
        var ledger = LedgerFold.Replay([R(RecordKind.LoadIntent), other, .. learned], "new");
        Assert.Equal([Other], ledger.Quarantined.Keys);
        // A name that no frame has is nobody's.
        Assert.All(LearnFrom(Dump(9, "Comm: [lp_two]", "a+0x1/0x2 [ext4]"), R(RecordKind.LoadIntent), other), l => Assert.Equal(EvidenceGrade.Suspect, l.Grade));
    }

    /// <summary>lp_one was trusted before that boot, and is loaded by its early loads.</summary>
    private static readonly ImmutableArray<JournalRecord> Trusted = [R(RecordKind.LoadIntent, "first", 1), R(RecordKind.Confirmed, "first", 2), R(RecordKind.LoadIntent, second: 3), R(RecordKind.Loaded, second: 4), R(RecordKind.Activated, second: 4)];

    [Fact]
    public void Learn_KernelBlamesATrustedPatch_ThatOneIsConvictedAndTheOthersAreFree()
    {
        var soaking = R(RecordKind.LoadIntent, digest: Other) with { Name = Two };
        ImmutableArray<JournalRecord> records = [.. Trusted, soaking];
        var learned = LearnFrom(Dump(9, "lp_one_show+0x1/0x2 [lp_one]"), records);
        Assert.Equal([(One, RecordKind.Quarantined, EvidenceGrade.Attributed), (Two, RecordKind.Abandoned, default)], learned.Select(l => (l.Name, l.Kind, l.Grade)));
        Assert.Contains("the kernel's record of it names the patch", learned[0].Detail, StringComparison.Ordinal);
        var ledger = LedgerFold.Replay([.. records, .. learned], "new");
        Assert.Equal([Digest], ledger.Quarantined.Keys);
        Assert.False(ledger.Confirmed.Has(new PatchIdentity(Digest, null)));
        // Without one that soaks as well; and once, not by every boot that follows, before and after a release.
        Assert.Equal(One, Assert.Single(LearnFrom(Dump(9, "lp_one_show+0x1/0x2 [lp_one]"), Trusted)).Name);
        foreach (var after in (ImmutableArray<JournalRecord>[])[[.. records, .. learned], [.. records, .. learned, R(RecordKind.Released, "new")]])
            Assert.Empty(CrashGuard.Learn(after, "newest", None, At(1), () => [Dump(9, "lp_one_show+0x1/0x2 [lp_one]")], "old"));
    }

    [Fact]
    public void Learn_ATrustedPatchThatNobodyNames_StaysTrusted()
    {
        var soaking = R(RecordKind.LoadIntent, digest: Other) with { Name = Two };
        Assert.Empty(LearnFrom(Dump(9, "a+0x1/0x2 [ext4]"), Trusted));
        Assert.Equal((Two, EvidenceGrade.Attributed), (LearnFrom(Dump(9, "a+0x1/0x2 [lp_two]"), [.. Trusted, soaking]) is [var one] ? (one.Name, one.Grade) : default));
        // Out of the kernel before the crash, shut down in good order, or a record that is older than the load.
        Assert.Empty(LearnFrom(Dump(9, "a+0x1/0x2 [lp_one]"), [.. Trusted, R(RecordKind.Gone, second: 6)]));
        Assert.Empty(CrashGuard.Learn(Trusted, "new", new HashSet<string> { "old" }, At(1), () => [Dump(9, "a+0x1/0x2 [lp_one]")]));
        // An oops of a boot that was shut down long ago, read by a later start of the daemon.
        Assert.Empty(CrashGuard.Learn(Trusted, "new", None, At(1), () => [Dump(9, "a+0x1/0x2 [lp_one]")], crashedBoot: null));
        Assert.Empty(LearnFrom(Dump(-9, "a+0x1/0x2 [lp_one]"), Trusted));
    }

    [Fact]
    public void Learn_FreedWhileSomebodyHadToConfirm_IsNotConfirmed()
    {
        var other = R(RecordKind.LoadIntent, digest: Other) with { Name = Two, MustConfirm = true };
        var learned = LearnFrom(Dump(9, "lp_one_init+0x1/0x2 [lp_one]"), R(RecordKind.LoadIntent), other);
        Assert.Equal([(One, RecordKind.Quarantined), (Two, RecordKind.Unconfirmed)], learned.Select(l => (l.Name, l.Kind)));
    }

    [Theory]
    [InlineData(4, true)]
    [InlineData(2, false)]
    public void Learn_DumpOlderThanTheLoad_BlamesNobody(int second, bool counts) =>
        Assert.Equal(counts ? EvidenceGrade.Attributed : EvidenceGrade.Suspect, Assert.Single(LearnFrom(Dump(second, "a+0x1/0x2 [lp_one]"), R(RecordKind.LoadIntent))).Grade);

    [Fact]
    public void Learn_TwoBootsWentDown_EachDumpIsThatOfItsOwn()
    {
        var later = R(RecordKind.LoadIntent, "later", 50, Other) with { Name = Two };
        var learned = LearnFrom(Dump(9, "a+0x1/0x2 [lp_one]"), R(RecordKind.LoadIntent), later);
        Assert.Equal([(One, EvidenceGrade.Attributed), (Two, EvidenceGrade.Suspect)], learned.Select(l => (l.Name, l.Grade)));
        learned = LearnFrom(Dump(60, "a+0x1/0x2 [lp_one]"), R(RecordKind.LoadIntent), later);
        Assert.All(learned, l => Assert.Equal(EvidenceGrade.Suspect, l.Grade));
    }

    [Fact]
    public void Learn_TwiceWithTheSameBytes_OutUntilReleased()
    {
        JournalRecord[] records = [R(RecordKind.LoadIntent)];
        records = [.. records, Assert.Single(Learn(records))];
        Assert.Equal(EvidenceGrade.Suspect, records[^1].Grade);
        JournalRecord[] again = [.. records, R(RecordKind.LoadIntent, "new")];
        var second = Assert.Single(CrashGuard.Learn([.. again], "newest", None, At(1)));
        Assert.Equal(EvidenceGrade.Attributed, second.Grade);
        Assert.Contains("not for the first time", second.Detail, StringComparison.Ordinal);
        Assert.Null(SecondChance.RetryAt(LedgerFold.Replay([.. again, second], "newest").Quarantined[Digest], "newest", Settings.Default, At(1_000_000)));
        // What was suspected for another reason in between does not make it forgotten; a soak that is passed, or a release, does.
        var warned = new JournalRecord(RecordKind.Quarantined, One, "new", At(7), Digest, Reason: Reason.KernelWarning) { Grade = EvidenceGrade.Suspect };
        Assert.Equal(EvidenceGrade.Attributed, Assert.Single(CrashGuard.Learn([.. records, warned, R(RecordKind.LoadIntent, "new", 8)], "newest", None, At(1))).Grade);
        foreach (var kind in new[] { RecordKind.Confirmed, RecordKind.Released })
        {
            JournalRecord[] cleared = [.. records, R(kind, "new"), R(RecordKind.LoadIntent, "new")];
            Assert.Equal(EvidenceGrade.Suspect, Assert.Single(CrashGuard.Learn([.. cleared], "newest", None, At(1))).Grade);
        }
    }

    [Fact]
    public void Learn_NothingToJudge_DumpsAreNotRead() =>
        Assert.Empty(CrashGuard.Learn([R(RecordKind.LoadIntent, "new")], "new", None, At(1), () => throw new InvalidOperationException()));

    [Fact]
    public void Learn_OpenIntentOfABootThatWasNotShutDown_FoundOnce()
    {
        JournalRecord[] records = [R(RecordKind.LoadIntent), R(RecordKind.Loaded), R(RecordKind.Activated)];
        var learned = Assert.Single(Learn(records));
        Assert.Equal((RecordKind.Quarantined, One, (Sha256?)Digest, "new", (Reason?)Reason.HostCrashed), (learned.Kind, learned.Name, learned.Digest, learned.BootId, learned.Reason));
        Assert.Equal("loaded at 2026-03-01 12:00:05Z, and that boot ended without a shutdown; the kernel left no record of it", learned.Detail);
        Assert.Empty(Learn([.. records, learned]));
        // Nor by the guard of a later boot, nor after the release.
        Assert.Empty(CrashGuard.Learn([.. records, learned], "newest", None, At(1)));
        Assert.Empty(Learn([.. records, learned, R(RecordKind.Released, "new")]));
    }

    [Theory]
    [InlineData(RecordKind.Confirmed, true)]
    [InlineData(RecordKind.Unconfirmed, false)]
    [InlineData(RecordKind.Quarantined, true)]
    [InlineData(RecordKind.Gone, true)]
    [InlineData(RecordKind.LoadFailed, true)]
    [InlineData(RecordKind.Abandoned, true)]
    [InlineData(RecordKind.Superseded, true)]
    [InlineData(RecordKind.DisabledByHand, true)]
    [InlineData(RecordKind.Loaded, false)]
    [InlineData(RecordKind.Activated, false)]
    [InlineData(RecordKind.DisableIntent, false)]
    [InlineData(RecordKind.Reenabled, false)]
    [InlineData(RecordKind.RevertFailed, false)]
    [InlineData(RecordKind.OperatorReverted, false)]
    [InlineData(RecordKind.OperatorApplied, false)]
    [InlineData(RecordKind.Released, false)]
    public void What_closes_an_intent(RecordKind kind, bool closes)
    {
        Assert.Equal(closes, Learn([R(RecordKind.LoadIntent), R(kind)]).IsEmpty);
        // Of other bytes it closes nothing.
        Assert.Single(Learn([R(RecordKind.LoadIntent), R(kind, digest: Other)]));
    }

    [Theory]
    [InlineData(RecordKind.Gone)]
    [InlineData(RecordKind.LoadFailed)]
    [InlineData(RecordKind.Abandoned)]
    public void What_happened_in_another_boot_closes_nothing(RecordKind kind) =>
        Assert.Single(Learn([R(RecordKind.LoadIntent, "old"), R(kind, "older")]));

    [Fact]
    public void An_intent_of_this_boot_is_not_judged() => Assert.Empty(Learn([R(RecordKind.LoadIntent, "new")]));

    [Fact]
    public void An_intent_of_a_version_that_knew_no_probation_is_not_judged() =>
        Assert.Empty(Learn([R(RecordKind.LoadIntent) with { Baseline = null }, R(RecordKind.LoadIntent) with { Digest = null }]));

    [Fact]
    public void Adopted_patches_are_guarded_too() => Assert.Single(Learn([R(RecordKind.Adopted)]));

    [Fact]
    public void A_clean_shutdown_closes_the_intent_for_good()
    {
        var closed = Assert.Single(Learn([R(RecordKind.LoadIntent)], "old"));
        Assert.Equal((RecordKind.Abandoned, "old", At(5)), (closed.Kind, closed.BootId, closed.At));
        Assert.Empty(CrashGuard.Learn([R(RecordKind.LoadIntent), closed], "newest", None, At(1)));
        Assert.Equal(Ledger.Empty("new").Owned, LedgerFold.Replay([R(RecordKind.LoadIntent), closed], "new").Owned);
    }

    [Fact]
    public void A_reboot_in_mid_soak_counts_as_not_confirmed_where_somebody_must_confirm()
    {
        var record = Assert.Single(Learn([R(RecordKind.LoadIntent) with { MustConfirm = true }], "old"));
        Assert.Equal((RecordKind.Unconfirmed, "new", Reason.NotConfirmed), (record.Kind, record.BootId, record.Reason));
        Assert.True(LedgerFold.Apply(Ledger.Empty("new"), record).IsUnconfirmed(One, new PatchIdentity(Digest, null)));
        Assert.Equal(RecordKind.Quarantined, Assert.Single(Learn([R(RecordKind.LoadIntent) with { MustConfirm = true }])).Kind);
    }

    [Fact]
    public void A_crash_weighs_more_than_a_shutdown_of_the_same_bytes()
    {
        JournalRecord[] records = [R(RecordKind.LoadIntent, "shut"), R(RecordKind.LoadIntent, "crashed"), R(RecordKind.LoadIntent, "crashed too")];
        Assert.Equal(RecordKind.Quarantined, Assert.Single(Learn(records, "shut")).Kind);
    }

    [Fact]
    public void Everybody_on_probation_is_blamed_for_a_crash()
    {
        JournalRecord[] records = [R(RecordKind.LoadIntent), R(RecordKind.LoadIntent, digest: Other) with { Name = Two, MustConfirm = true }];
        Assert.Equal([(Digest, RecordKind.Quarantined), (Other, RecordKind.Quarantined)], Learn(records).Select(l => (l.Digest!.Value, l.Kind)));
        Assert.Equal([(Digest, RecordKind.Abandoned), (Other, RecordKind.Unconfirmed)], Learn(records, "old").Select(l => (l.Digest!.Value, l.Kind)));
        // A word on one of them says nothing of the other, and without its bytes it says nothing at all.
        foreach (var kind in new[] { RecordKind.Confirmed, RecordKind.Quarantined, RecordKind.Unconfirmed, RecordKind.Released, RecordKind.Activated, RecordKind.Gone })
        {
            Assert.Contains(Learn([.. records, R(kind, "newer", digest: Digest)]), l => l.Digest == Other);
            Assert.Equal(2, Learn([.. records, R(kind) with { Digest = null }]).Length);
        }
        JournalRecord[] trusted = [R(RecordKind.Confirmed, "first"), .. records];
        Assert.Equal([Other], Learn([.. trusted, R(RecordKind.Activated)]).Select(l => l.Digest!.Value));
        Assert.Equal(2, Learn([.. trusted, R(RecordKind.Activated, "another")]).Length);
        Assert.Equal(2, Learn([.. records, R(RecordKind.LoadIntent), R(RecordKind.Released, "another")]).Length);
        // A clean shutdown of a patch that must be confirmed, twice: said once.
        Assert.Single(Learn([records[1], records[1] with { BootId = "older" }], "old", "older"));
    }

    [Fact]
    public void Confirmed_bytes_are_guarded_until_they_are_active()
    {
        JournalRecord[] trusted = [R(RecordKind.LoadIntent, "first"), R(RecordKind.Confirmed, "first"), R(RecordKind.LoadIntent)];
        Assert.Equal(RecordKind.Quarantined, Assert.Single(Learn(trusted)).Kind);
        Assert.Empty(Learn([.. trusted, R(RecordKind.Activated)]));
        // Trust that was lost again guards as before.
        Assert.Single(Learn([.. trusted, R(RecordKind.Activated), R(RecordKind.Quarantined), R(RecordKind.Released)]));
    }

    [Fact]
    public void A_patch_that_stayed_in_the_kernel_and_was_given_another_chance_is_guarded_again()
    {
        Assert.Single(Learn([R(RecordKind.LoadIntent), R(RecordKind.Quarantined), R(RecordKind.Released)]));
        Assert.Single(Learn([R(RecordKind.LoadIntent), R(RecordKind.Unconfirmed), R(RecordKind.OperatorApplied)]));
        Assert.Empty(Learn([R(RecordKind.LoadIntent), R(RecordKind.Quarantined), R(RecordKind.OperatorApplied)]));
        Assert.Empty(Learn([R(RecordKind.LoadIntent), R(RecordKind.Confirmed), R(RecordKind.OperatorApplied)]));
    }

    [Fact]
    public void A_wish_to_confirm_that_came_after_the_load_counts_at_a_reboot_too()
    {
        var asked = new JournalRecord(RecordKind.OperatorApplied, One, "old", At(6)) { MustConfirm = true };
        JournalRecord[] records = [R(RecordKind.LoadIntent), R(RecordKind.Loaded), R(RecordKind.Activated), asked];
        Assert.Equal(RecordKind.Unconfirmed, Assert.Single(Learn(records, "old")).Kind);
        Assert.Equal(RecordKind.Unconfirmed, Assert.Single(Learn(Compaction.Keep([.. records], "new"), "old")).Kind);
        Assert.Equal(RecordKind.Abandoned, Assert.Single(Learn([.. records[..3], asked with { Name = Two }], "old")).Kind);
        Assert.Equal(RecordKind.Abandoned, Assert.Single(Learn([.. records[..3], asked with { BootId = "new" }], "old")).Kind);
    }

    [Fact]
    public void Compaction_keeps_an_open_intent_of_any_boot_and_no_closed_one()
    {
        JournalRecord[] records = [R(RecordKind.LoadIntent, "a"), R(RecordKind.Loaded, "a"), R(RecordKind.LoadIntent, "b", digest: Other), R(RecordKind.Gone, "b", digest: Other)];
        Assert.Equal([records[0]], Compaction.Keep([.. records], "new"));
        // Also on a host that changed its mind thousands of times.
        var busy = Enumerable.Range(0, 6000).Select(i => R(RecordKind.Deferred, "new", i)).Append(R(RecordKind.LoadIntent, "new", digest: Other) with { Name = Two });
        var kept = Compaction.Keep([.. records, .. busy], "new");
        // The open intent, the one of this boot, and since when the name waits at a gate.
        Assert.Equal(3, kept.Length);
        Assert.Contains(Two, LedgerFold.Replay(kept, "new").Owned.Keys);
        Assert.Single(CrashGuard.Learn(kept, "new", None, At(1)));
    }

    [Fact]
    public void Confirmations_are_bounded_in_ledger_and_journal()
    {
        var records = Enumerable.Range(0, 300).Select(i => R(RecordKind.Confirmed, "old", i, Sha256.TryParse($"{i:x64}"))).ToImmutableArray();
        var ledger = LedgerFold.Replay(records, "new");
        Assert.Equal(256, ledger.Confirmed.Length);
        Assert.DoesNotContain(Sha256.TryParse($"{43:x64}")!.Value, ledger.Confirmed);
        Assert.Contains(Sha256.TryParse($"{44:x64}")!.Value, ledger.Confirmed);
        var kept = Compaction.Keep(records.Add(R(RecordKind.Confirmed) with { Digest = null }), "new");
        Assert.Equal(256, kept.Length);
        Assert.Equal(ledger.Confirmed, LedgerFold.Replay(kept, "new").Confirmed);
        // Confirmed again, it is the newest.
        Assert.Equal(records[50].Digest, LedgerFold.Apply(ledger, records[50]).Confirmed[^1]);
    }

    [Fact]
    public void A_confirmation_lifts_the_mark_of_the_same_bytes_alone()
    {
        var ledger = LedgerFold.Apply(Ledger.Empty("new"), R(RecordKind.Unconfirmed));
        Assert.True(LedgerFold.Apply(ledger, R(RecordKind.Confirmed, digest: Other)).IsUnconfirmed(One, new PatchIdentity(Digest, null)));
        Assert.False(LedgerFold.Apply(ledger, R(RecordKind.Confirmed)).IsUnconfirmed(One, new PatchIdentity(Digest, null)));
        Assert.False(LedgerFold.Apply(ledger, R(RecordKind.LoadIntent, "new", digest: Other)).IsUnconfirmed(One, new PatchIdentity(Digest, null)));
    }

    [Fact]
    public void What_other_boots_say_changes_nothing_of_this_one()
    {
        var ledger = LedgerFold.Apply(Ledger.Empty("new"), R(RecordKind.LoadIntent, "new"));
        var before = ledger.Owned[One];
        foreach (var kind in new[] { RecordKind.Quarantined, RecordKind.Released, RecordKind.Unconfirmed, RecordKind.OperatorApplied })
            ledger = LedgerFold.Apply(ledger, R(kind) with { Baseline = Calm with { OopsCount = 9 }, MustConfirm = true });
        Assert.Equal(before, ledger.Owned[One]);
        Assert.Empty(ledger.ConfirmAsked);
    }

    [Theory]
    [InlineData(0, 3, 0.0, true)]
    [InlineData(0, 2, 0.0, false)]
    [InlineData(0, 3, 299.0, true)]
    [InlineData(0, 3, 300.0, false)]
    [InlineData(1000, 3, -100.0, false)]
    public void Three_unclean_ends_within_five_minutes_are_a_crash_loop(int first, int count, double after, bool barred)
    {
        var starts = Enumerable.Range(0, count).Select(_ => At(first));
        Assert.Equal(barred, CrashLoop.BarredUntil(starts, At(first).After(TimeSpan.FromSeconds(after))) is not null);
    }
}
