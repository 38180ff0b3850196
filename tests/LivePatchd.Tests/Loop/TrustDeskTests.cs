// What people say of patches: confirmed before the soak ends, or let out of quarantine, and answered once it is shown.
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class TrustDeskTests : IDisposable
{
    private readonly SharedBus bus;
    private readonly Bench bench = new();
    private readonly JournalBook journal;
    private readonly TrustDesk desk;

    public TrustDeskTests(SharedBus bus)
    {
        this.bus = bus;
        journal = bench.Journal();
        desk = new TrustDesk(journal, bench.Clock, bench.Log);
    }

    public void Dispose()
    {
        journal.Dispose();
        bench.Dispose();
    }

    private void Record(params RecordKind[] kinds)
    {
        foreach (var kind in kinds)
            Assert.True(journal.Record(Given.Record(kind, reason: kind is RecordKind.Quarantined ? Reason.KernelOops : null)));
    }

    private Asked<bool> Confirm(bool known = true)
    {
        var asked = bus.Ask();
        desk.Confirm(new Command.Confirm(asked.Call, Given.One, 0), known);
        return asked;
    }

    private Asked<bool> Release(bool known = true)
    {
        var asked = bus.Ask();
        desk.Release(new Command.Release(asked.Call, Given.One, 0), known);
        return asked;
    }

    [Fact]
    public void Confirm_Soaking_RecordedAndAnsweredOnceItIsShown()
    {
        Record(RecordKind.LoadIntent, RecordKind.Loaded, RecordKind.Activated);
        var asked = Confirm();
        Assert.Contains(Given.Digest, journal.Ledger.Confirmed);
        Assert.Equal(1, bench.Said.Count("lp_one: confirmed by uid 0"));
        Assert.True(asked.IsOpen);
        desk.Answer();
        Assert.True(asked.Value);
    }

    [Fact]
    public void Confirm_TrustedAlready_IsSuccess()
    {
        Record(RecordKind.LoadIntent, RecordKind.Loaded, RecordKind.Activated, RecordKind.Confirmed);
        var asked = Confirm();
        desk.Answer();
        Assert.True(asked.Value);
        Assert.Equal(0, bench.Said.Count("confirmed by"));
    }

    [Fact]
    public void Confirm_NotActiveYet_Refused()
    {
        Record(RecordKind.LoadIntent, RecordKind.Loaded);
        Assert.Equal(BusErrors.InvalidArgument, Confirm().Error.Name);
        Assert.Empty(journal.Ledger.Confirmed);
    }

    [Fact]
    public void Confirm_UnderQuarantine_Refused()
    {
        Record(RecordKind.LoadIntent, RecordKind.Loaded, RecordKind.Activated, RecordKind.Quarantined);
        Assert.Equal(BusErrors.InvalidArgument, Confirm().Error.Name);
        Assert.Empty(journal.Ledger.Confirmed);
    }

    [Fact]
    public void Confirm_NothingKnownOfTheName_NoSuchPatch() => Assert.Equal((BusErrors.NoSuchPatch, "no patch lp_one"), Confirm(known: false).Error);

    [Fact]
    public void Confirm_NotRecorded_Failed()
    {
        Record(RecordKind.LoadIntent, RecordKind.Loaded, RecordKind.Activated);
        bench.BreakState();
        var asked = Confirm();
        desk.Answer();
        Assert.StartsWith("journal-unavailable: ", asked.Error.Message, StringComparison.Ordinal);
        Assert.Empty(journal.Ledger.Confirmed);
        Assert.Equal(0, bench.Said.Count("confirmed by"));
    }

    [Fact]
    public void Release_Quarantined_OutAndAnsweredOnceItIsShown()
    {
        Record(RecordKind.Quarantined);
        var asked = Release();
        Assert.Empty(journal.Ledger.Quarantined);
        Assert.Equal(1, bench.Said.Count("out of quarantine by uid 0; it was there for kernel-oops"));
        Assert.True(asked.IsOpen);
        desk.Answer();
        Assert.True(asked.Value);
    }

    [Fact]
    public void Release_TwoBuildsOfTheName_BothAreOut()
    {
        foreach (var digest in new[] { Given.Digest, Given.OtherDigest })
            journal.Record(Given.Record(RecordKind.Quarantined, digest: digest, reason: Reason.KernelOops));
        journal.Record(Given.Record(RecordKind.Quarantined, name: Given.Two, digest: Given.Bytes('3'), reason: Reason.KernelOops));
        Release();
        Assert.Equal([Given.Bytes('3')], journal.Ledger.Quarantined.Keys);
        Assert.Equal(2, bench.Said.Count("out of quarantine"));
    }

    [Fact]
    public void Release_NotQuarantined_Refused()
    {
        Assert.Equal(BusErrors.InvalidArgument, Release().Error.Name);
        Assert.Equal(BusErrors.NoSuchPatch, Release(known: false).Error.Name);
    }

    [Fact]
    public void Release_NotRecorded_StaysAndIsToldSo()
    {
        Record(RecordKind.Quarantined);
        bench.BreakState();
        Assert.Equal(BusErrors.Failed, Release().Error.Name);
        Assert.NotEmpty(journal.Ledger.Quarantined);
        Assert.Equal(0, bench.Said.Count("out of quarantine"));
    }
}
