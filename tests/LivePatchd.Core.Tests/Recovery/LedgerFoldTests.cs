// Records folded into the ledger: incomplete ones change nothing, repeated ones nothing more, and what outlives a boot does.
using System.Globalization;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class LedgerFoldTests
{
    private static readonly PatchName One = PatchName.Parse("lp_one");
    private static readonly Sha256 Digest = Sha256.TryParse(new string('1', 64))!.Value;

    private static Instant At(int second) => new(TimeSpan.FromSeconds(second), DateTimeOffset.UnixEpoch.AddSeconds(second));

    private static JournalRecord R(RecordKind kind, int second = 5, string boot = "boot") => new(kind, One, boot, At(second), Digest);

    private static Ledger After(params JournalRecord[] records) => LedgerFold.Replay(records, "boot");

    [Theory]
    [InlineData(RecordKind.LoadIntent)]
    [InlineData(RecordKind.Adopted)]
    [InlineData(RecordKind.LoadFailed)]
    [InlineData(RecordKind.DisabledByHand)]
    [InlineData(RecordKind.Superseded)]
    [InlineData(RecordKind.Quarantined)]
    [InlineData(RecordKind.Released)]
    [InlineData(RecordKind.Confirmed)]
    [InlineData(RecordKind.Unconfirmed)]
    public void Without_its_bytes_a_record_says_nothing(RecordKind kind)
    {
        var ledger = After(R(kind) with { Digest = null });
        Assert.Empty(ledger.Owned);
        Assert.Empty(ledger.Failures);
        Assert.Empty(ledger.DisabledByHand);
        Assert.Empty(ledger.Superseded);
        Assert.Empty(ledger.Quarantined);
        Assert.Empty(ledger.Confirmed);
        Assert.Empty(ledger.Unconfirmed);
    }

    [Theory]
    [InlineData(RecordKind.Loaded)]
    [InlineData(RecordKind.Activated)]
    [InlineData(RecordKind.DisableIntent)]
    [InlineData(RecordKind.Gone)]
    [InlineData(RecordKind.Abandoned)]
    [InlineData(RecordKind.Released)]
    [InlineData(RecordKind.OperatorApplied)]
    public void Of_a_patch_that_is_not_ours_nothing_is_learned(RecordKind kind)
    {
        Assert.Empty(After(R(kind)).Owned);
        Assert.Empty(After(R(kind)).Failures);
    }

    [Fact]
    public void The_first_time_counts()
    {
        var owned = After(R(RecordKind.LoadIntent, 1), R(RecordKind.Loaded, 2), R(RecordKind.Loaded, 3), R(RecordKind.Activated, 4), R(RecordKind.Activated, 5) with { Digest = null }).Owned[One];
        Assert.Equal((At(2), At(4)), (owned.LoadedAt, owned.ActiveAt));
    }

    [Fact]
    public void A_reversal_that_was_intended_and_not_made_is_over_with_the_activation()
    {
        var owned = After(R(RecordKind.LoadIntent, 1), R(RecordKind.DisableIntent, 2), R(RecordKind.Activated, 3)).Owned[One];
        Assert.Null(owned.DisabledAt);
        Assert.Equal(At(3), owned.ActiveAt);
    }

    [Fact]
    public void A_transition_taken_back_is_one_failed_attempt_of_these_bytes()
    {
        var stalled = R(RecordKind.DisableIntent) with { Reason = Reason.TransitionStalled };
        var ledger = After(R(RecordKind.LoadIntent, 1), stalled, stalled);
        Assert.Equal((1, 1), (ledger.Failures[Digest].Count, ledger.Failures[Digest].Reversals));
        Assert.Empty(After(R(RecordKind.LoadIntent, 1), R(RecordKind.DisableIntent) with { Reason = Reason.RevertedByOperator }).Failures);
        Assert.Empty(After(R(RecordKind.LoadIntent, 1), R(RecordKind.DisableIntent)).Failures);
        Assert.Empty(After(stalled).Failures);
    }

    [Fact]
    public void Failures_are_counted_and_an_apply_forgives_those_of_its_name()
    {
        var failed = R(RecordKind.LoadFailed) with { Detail = "so" };
        var ledger = After(failed, failed, R(RecordKind.RevertFailed), R(RecordKind.RevertFailed));
        Assert.Equal((2, 0, Reason.KernelRefused, "so"), (ledger.Failures[Digest].Count, ledger.Failures[Digest].Reversals, ledger.Failures[Digest].Reason, ledger.Failures[Digest].Detail));
        Assert.Equal((2, ""), (ledger.RevertFailures[One].Count, ledger.RevertFailures[One].Detail));
        Assert.Single(LedgerFold.Apply(ledger, R(RecordKind.OperatorApplied) with { Name = PatchName.Parse("lp_two") }).Failures);
        ledger = LedgerFold.Apply(ledger, R(RecordKind.OperatorApplied));
        Assert.Empty(ledger.Failures);
        Assert.Empty(ledger.RevertFailures);
    }

    [Fact]
    public void A_request_without_gates_is_of_its_boot()
    {
        Assert.Equal(At(5), After(R(RecordKind.OperatorApplied) with { OverrideGates = true }).Overrides[One]);
        Assert.Empty(After(R(RecordKind.OperatorApplied, boot: "old") with { OverrideGates = true }).Overrides);
        Assert.Empty(After(R(RecordKind.OperatorReverted)).Overrides);
        // On the way to a new build it is kept for the load that follows.
        JournalRecord[] asked = [R(RecordKind.LoadIntent, 1), R(RecordKind.OperatorApplied, 2) with { OverrideGates = true }, R(RecordKind.Deferred, 3)];
        var turning = After([.. asked, R(RecordKind.DisableIntent) with { Reason = Reason.NewVersion }]);
        Assert.Single(turning.Overrides);
        Assert.Single(turning.Deferred);
        var spent = After([.. asked, R(RecordKind.DisableIntent)]);
        Assert.Empty(spent.Overrides);
        Assert.Empty(spent.Deferred);
        Assert.Empty(LedgerFold.Apply(turning, R(RecordKind.Undeferred)).Deferred);
    }

    [Fact]
    public void A_replacement_outlives_the_boot_and_marks_only_what_is_loaded_now()
    {
        var replaced = R(RecordKind.Superseded) with { By = PatchName.Parse("lp_all") };
        Assert.Equal("lp_all", After(R(RecordKind.LoadIntent, 1), replaced).Owned[One].SupersededBy!.Value.Value);
        var old = After(R(RecordKind.LoadIntent, 1), replaced with { BootId = "old" });
        Assert.Null(old.Owned[One].SupersededBy);
        Assert.Equal("lp_all", old.Superseded[One].By.Value);
        Assert.Equal(One, After(replaced with { By = null }).Superseded[One].By);
    }

    [Fact]
    public void A_journal_of_another_version_is_read_as_far_as_it_can_be()
    {
        Assert.Null(Read("""{"kind":"Loaded","name":"lp_one","boot":""}"""));
        Assert.Null(Read("""{"kind":"Loaded","name":"lp_one","boot":"b"}"""));
        Assert.Null(Read("""{"kind":"Loaded","name":"no name","boot":"b","mono_us":1,"wall_us":1}"""));
        Assert.Null(Read("""{"kind":"4711","name":"lp_one","boot":"b","mono_us":1,"wall_us":1}"""));
        Assert.Null(Read("""{"kind":"Loaded","name":"lp_one","boot":"b","mono_us":1,"wall_us":9223372036854775807}"""));
        Assert.Null(Read("7"));
        var record = Read("""{"kind":"Gone","name":"lp_one","boot":"b","mono_us":1,"wall_us":1,"reason":"not-a-word","sha256":"x","errno":5,"must_confirm":1}""")!;
        Assert.Equal((null, null, Errno.EIO, false), (record.Reason, record.Digest, record.Errno, record.MustConfirm));
    }

    [Fact]
    public void What_is_in_the_kernel_stays_confirmed_whatever_is_confirmed_after_it()
    {
        JournalRecord[] others =
        [
            .. Enumerable.Range(0, 400).Select(i => R(RecordKind.Confirmed, 10 + i) with
            {
                Name = PatchName.Parse("lp_two"),
                Digest = Sha256.TryParse(i.ToString("x64", CultureInfo.InvariantCulture)),
            }),
        ];
        JournalRecord[] mine = [R(RecordKind.LoadIntent, 1), R(RecordKind.Loaded, 2), R(RecordKind.Activated, 3), R(RecordKind.Confirmed, 4)];
        var running = After([.. mine, .. others]).Confirmed;
        Assert.Contains(Digest, running);
        Assert.InRange(running.Length, 1, 257);
        Assert.Equal(Sha256.TryParse(399.ToString("x64", CultureInfo.InvariantCulture)), running[^1]);
        // Of what has left the kernel only the newest are remembered.
        Assert.DoesNotContain(Digest, After([.. mine, R(RecordKind.Gone, 5), .. others]).Confirmed);
    }

    [Fact]
    public void A_hold_without_its_reason_is_a_hold()
    {
        var json = Encoding.UTF8.GetBytes("""{"why":null,"uid":0,"boot":"b","since":{"mono_us":1,"wall_us":1}}""");
        byte[] bytes = [.. Encoding.ASCII.GetBytes(JournalCodec.Crc32C(json).ToString("x8", CultureInfo.InvariantCulture)), (byte)' ', .. json, (byte)'\n'];
        Assert.Equal("", HoldCodec.Decode(bytes, "b", At(1))!.Why);
    }

    private static JournalRecord? Read(string json) => JournalJson.Read(Encoding.UTF8.GetBytes(json), out _);
}
