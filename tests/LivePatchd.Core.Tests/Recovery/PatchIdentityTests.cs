// A patch that is packed or signed again is the same patch to every list; another build is not.
using System.Text;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Trust;
using LivePatchd.Core.Recovery;
using LivePatchd.Core.Tests.Planning;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class PatchIdentityTests
{
    private static readonly Sha256 Content = Digest('c');
    private static readonly PatchIdentity Known = new(Scene.Digest, Content);
    private static readonly PatchIdentity Repacked = new(Digest('8'), Content);
    private static readonly PatchIdentity Other = new(Digest('9'), Digest('d'));
    private static readonly PatchIdentity[] All = [Known, Repacked, Other];

    private static Sha256 Digest(char c) => Sha256.TryParse(new string(c, 64))!.Value;

    private static WantedPatch File(PatchIdentity patch)
    {
        var file = ModelHost.File("lp_a", 1);
        return file with { Module = file.Module with { Digest = patch.Digest, Content = patch.Content } };
    }

    private static JournalRecord Record(RecordKind kind, double second = 5, Reason? reason = null) =>
        Scene.Record(kind, second, reason: reason) with { Content = Content };

    private static Verdict Judged(PatchIdentity file, params JournalRecord[] journal) => new Scene { Wanted = [File(file)], Journal = [.. journal] }.Verdict;

    [Theory]
    [InlineData(RecordKind.Quarantined, Reason.KernelOops)]
    [InlineData(RecordKind.Unconfirmed, Reason.NotConfirmed)]
    [InlineData(RecordKind.LoadFailed, Reason.SymbolNotFound)]
    [InlineData(RecordKind.DisabledByHand, Reason.DisabledByHand)]
    public void EveryMark_FilePackedAgain_StillHolds(RecordKind kind, Reason reason)
    {
        var mark = Record(kind, reason: reason);
        Assert.Equal(reason, Judged(Known, mark).Reason);
        Assert.Equal(reason, Judged(Repacked, mark).Reason);
        Assert.Null(Judged(Other, mark).Reason);
        // Of a version that knew the file's digest alone.
        Assert.Equal(reason, Judged(Known, mark with { Content = null }).Reason);
        Assert.Null(Judged(Repacked, mark with { Content = null }).Reason);
    }

    [Fact]
    public void Released_FilePackedAgain_IsFree()
    {
        var mark = Record(RecordKind.Quarantined, reason: Reason.KernelOops);
        Assert.Null(Judged(Known, mark, Record(RecordKind.Released, 6) with { Digest = Repacked.Digest }).Reason);
    }

    [Fact]
    public void Confirmed_FilePackedAgain_IsTrusted()
    {
        var ledger = LedgerFold.Replay([Record(RecordKind.Confirmed)], Scene.Boot);
        Assert.Equal([true, true, false], All.Select(p => ledger.Confirmed.Has(p)));
    }

    [Fact]
    public void Superseded_FilePackedAgain_StaysOut()
    {
        var mark = Record(RecordKind.Superseded) with { By = PatchName.Parse("lp_d"), ByDigest = ModelHost.Digest("lp_d", 1) };
        foreach (var (file, held) in new[] { (Known, true), (Repacked, true), (Other, false) })
        {
            var verdict = new Scene { Wanted = [File(file), ModelHost.File("lp_d", 1)], Journal = [mark] }.Verdict;
            Assert.Equal(held ? Reason.ReplacedByNewer : null, verdict.Reason);
        }
    }

    [Fact]
    public void Mark_FilePackedAgain_IsTheSameBuildOfItsStream()
    {
        var stream = new StreamMark(new StreamId("6.12.0", "main", ""), 7);
        var manifest = Scene.Plain with { Stream = "main", Sequence = 7 };
        var journal = Record(RecordKind.MarkRaised) with { Mark = stream };
        foreach (var (file, rollback) in new[] { (Known, false), (Repacked, false), (Other, true) })
        {
            var input = new Scene { Journal = [journal] }.Input;
            var wanted = File(file) with { Manifest = manifest };
            Assert.Equal(rollback, HighWater.Judge(wanted, input)?.Reason is Reason.Rollback);
            var let = Record(RecordKind.OperatorApplied) with { Downgrade = true, Digest = Other.Digest, Content = Other.Content };
            Assert.Null(HighWater.Judge(wanted, new Scene { Journal = [journal, let] }.Input));
        }
    }

    [Fact]
    public void Active_FilePackedAgain_StaysAsItIs()
    {
        var scene = new Scene
        {
            Patches = [Scene.Loaded(KernelPatchState.Active)],
            Journal = [Record(RecordKind.LoadIntent, 1) with { Baseline = null }, Record(RecordKind.Loaded, 2), Record(RecordKind.Activated, 3), Record(RecordKind.Confirmed, 4)],
            Wanted = [File(Repacked)],
        };
        Assert.Empty(scene.Plan.Steps);
        Assert.Null(scene.Verdict.Reason);
        // Both at once ask for one patch.
        Assert.Empty((scene with { Wanted = [File(Repacked), File(Known)] }).Plan.Steps);
        Assert.Equal(Reason.NewVersion, (scene with { Wanted = [File(Other)] }).Plan.Steps.OfType<PlanStep.Disable>().Single().Why);
    }

    [Fact]
    public void Denied_ContentOfWhatIsLoaded_GoesOutWhileItsFileIsRefused()
    {
        var scene = new Scene
        {
            Patches = [Scene.Loaded(KernelPatchState.Active)],
            Journal = [.. Scene.Active.Select(r => r with { Content = Content })],
            Wanted = [],
            Refused = [new RefusedFile("/p/lp_a.ko", Scene.Name, Reason.UnsafePermissions, "mode")],
        };
        var input = scene.Input;
        Assert.Empty(Planner.Decide(input).Steps);
        var denied = Planner.Decide(input with { Want = input.Want with { Denied = [Content] } });
        Assert.Equal(Reason.Denied, denied.Steps.OfType<PlanStep.Disable>().Single().Why);
    }

    [Fact]
    public void CrashGuard_FilePackedAgainAfterThePanic_IsUnderQuarantine()
    {
        var crashed = Record(RecordKind.LoadIntent, 1) with { BootId = "old", Baseline = new HealthBaseline(0, 0, 0, [], true, 1) };
        var learned = Assert.Single(CrashGuard.Learn([crashed], Scene.Boot, new HashSet<string>(), Scene.At(1)));
        Assert.Equal((Scene.Digest, Content), (learned.Digest, learned.Content));
        Assert.Equal(Reason.HostCrashed, Judged(Repacked, learned with { Grade = EvidenceGrade.Attributed }).Reason);
        // What closes the one closes the other.
        var other = Record(RecordKind.Gone, 2) with { BootId = "old", Digest = Repacked.Digest };
        Assert.Empty(CrashGuard.Learn([crashed, other], Scene.Boot, new HashSet<string>(), Scene.At(1)));
    }

    [Fact]
    public void Journal_WithAndWithoutContent_IsRead()
    {
        var record = Record(RecordKind.Quarantined, reason: Reason.KernelOops) with { Detail = "so" };
        var old = record with { Content = null };
        var bytes = Encoding.ASCII.GetBytes(JournalCodec.VersionLine).Concat(JournalCodec.Encode(record)).Concat(JournalCodec.Encode(old)).ToArray();
        Assert.Equal([record, old], JournalCodec.Decode(bytes).Records);
        Assert.DoesNotContain("content_sha256", Encoding.ASCII.GetString([.. JournalCodec.Encode(old)]), StringComparison.Ordinal);
    }
}
