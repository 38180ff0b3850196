// What would become of a file that nobody has staged: the planner's answer as if it lay in the directory, and nothing is changed by asking.
using System.Text.Json;
using LivePatchd.Control;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

public sealed class PlanDeskTests(SharedBus bus)
{
    private static readonly PlannerInput Empty = Given.Input(Given.Seen());
    private static readonly WantedPatch Probed = Given.File() with { Path = "/p/lp_one.ko" };

    private Asked<string> Answer(ProbeResult result, PlannerInput? last)
    {
        var asked = bus.AskForText();
        var command = new Command.PlanFile(asked.Call, new Microsoft.Win32.SafeHandles.SafeFileHandle(), "lp_one.ko");
        PlanDesk.Answer(new WorkResult.Probed(command, result, PreflightFacts.None), last, "/p");
        return asked;
    }

    private JsonElement Document(ProbeResult result, PlannerInput last) => JsonDocument.Parse(Answer(result, last).Value).RootElement;

    private static string? Text(JsonElement document, string list, string key) => document.GetProperty(list)[0].GetProperty(key).GetString();

    [Fact]
    public void Answer_FileThatWouldLoad_Says()
    {
        var document = Document(new ProbeResult(Probed, null, default), Empty);
        Assert.Equal("load", Text(document, "steps", "action"));
        Assert.Equal("loads", Text(document, "patches", "outcome"));
    }

    [Fact]
    public void Answer_NameRevertedByAnOperator_StillLoadsForApplyFileLiftsThat()
    {
        var reverted = Empty with { Ledger = Given.Ledger(Given.Record(RecordKind.OperatorReverted)) };
        Assert.Equal("loads", Text(Document(new ProbeResult(Probed, null, default), reverted), "patches", "outcome"));
        Assert.Contains(Given.One, reverted.Ledger.Reverted);
    }

    [Fact]
    public void Answer_QuarantinedBytes_Refused()
    {
        var bad = Empty with { Ledger = Given.Ledger(Given.Record(RecordKind.Quarantined, reason: Reason.KernelOops)) };
        var document = Document(new ProbeResult(Probed, null, default), bad);
        Assert.Equal(("refused", "kernel-oops"), (Text(document, "patches", "outcome"), Text(document, "patches", "reason")));
        Assert.Equal(0, document.GetProperty("steps").GetArrayLength());
    }

    [Fact]
    public void Answer_FileOverTheOneThatLiesThere_OnlyTheNewOneCounts()
    {
        var last = Empty with { Want = Given.Want(Given.File(digest: Given.OtherDigest), Given.File(Given.Two, Given.Bytes('3'))) };
        var document = Document(new ProbeResult(Probed, null, default), last);
        Assert.Equal(Given.Digest.Hex, Text(document, "steps", "sha256"));
        // Nor is it told what becomes of others.
        Assert.Equal(1, document.GetProperty("steps").GetArrayLength());
        Assert.Equal(1, document.GetProperty("patches").GetArrayLength());
    }

    [Fact]
    public void Answer_RefusedFile_ItsReasonAndTheKernelsAnswer()
    {
        var document = Document(new ProbeResult(null, new RefusedFile("x", Given.One, Reason.WrongKernel, "built for 5.10"), default), Empty);
        Assert.Equal(("refused", "wrong-kernel"), (Text(document, "patches", "outcome"), Text(document, "patches", "reason")));
        Assert.Contains("ENOEXEC", document.ToString(), StringComparison.Ordinal);
        Assert.Contains("/p/lp_one.ko", document.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Answer_FileCannotBeRead_Failed() =>
        Assert.Equal((BusErrors.Failed, "open: EIO"), Answer(new ProbeResult(null, null, SysResult.Fail(Errno.EIO, "open")), Empty).Error);

    [Fact]
    public void Answer_BeforeTheFirstLook_Busy() => Assert.Equal(BusErrors.Busy, Answer(new ProbeResult(Probed, null, default), last: null).Error.Name);
}
