// Only findings, and the ways out of who was found guilty, count without a disk.
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Core.Tests.Planning;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class UrgentRecordTests
{
    private static readonly RecordKind[] Findings = [RecordKind.Quarantined, RecordKind.Unconfirmed];
    private static readonly RecordKind[] WaysOut = [RecordKind.DisableIntent, RecordKind.RevertFailed, RecordKind.Gone];

    private static IEnumerable<RecordKind> Counting(RecordKind? finding)
    {
        var host = new ModelHost { Soak = Core.Config.SoakSettings.Default };
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Tick();
        host.Kernel.Complete();
        host.Tick();
        var record = new JournalRecord(RecordKind.Gone, PatchName.Parse("lp_a"), host.Boot, host.Now, ModelHost.Digest("lp_a", 1), Reason: Reason.KernelOops);
        if (finding is { } kind)
            host.Append(record with { Kind = kind });
        return Enum.GetValues<RecordKind>().Where(k => UrgentRecord.CountsUnwritten(record with { Kind = k }, host.Ledger));
    }

    [Fact]
    public void Of_a_patch_that_nobody_accuses_only_the_accusation_counts() => Assert.Equal(Findings, Counting(null).Order());

    [Theory]
    [InlineData(RecordKind.Quarantined)]
    [InlineData(RecordKind.Unconfirmed)]
    public void Of_one_that_must_go_its_way_out_counts_too(RecordKind finding) =>
        Assert.Equal(Findings.Concat(WaysOut).Order(), Counting(finding).Order());
}
