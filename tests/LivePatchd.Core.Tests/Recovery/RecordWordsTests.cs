// What is on the disks of hosts is read by every later version: words are held here and by the state logs of the versions that wrote them.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class RecordWordsTests
{
    private const string Folder = "tests/LivePatchd.Core.Tests/Recovery/StateLogs";

    private static byte[] Log(string name) => File.ReadAllBytes(RepositoryFile.PathOf($"{Folder}/{name}"));

    private static byte[] Framed(string json) =>
        Encoding.UTF8.GetBytes($"{JournalCodec.Crc32C(Encoding.UTF8.GetBytes(json)):x8} {json}\n");

    [Fact]
    public void All_EveryKind_HasOneWordOfItsOwn()
    {
        Assert.Equal(Enum.GetValues<RecordKind>(), RecordWords.All.Select(e => e.Kind).Order());
        Assert.Equal(RecordWords.All.Length, RecordWords.All.Select(e => e.Word).Distinct().Count());
        Assert.All(RecordWords.All, e => Assert.Equal(e.Kind, RecordWords.Parse(e.Word)));
    }

    /// <summary>The file is never written anew: it is what hosts have.</summary>
    [Fact]
    public void StateLog_OfVersion01_IsReadAndWrittenByteForByte()
    {
        var bytes = Log("0.1.log");
        var content = JournalCodec.Decode(bytes);
        Assert.Null(content.Damage);
        Assert.Equal(bytes.Length, content.Whole);
        Assert.Equal(
            [
                RecordKind.LoadIntent, RecordKind.Loaded, RecordKind.LoadFailed, RecordKind.Abandoned, RecordKind.Adopted, RecordKind.Activated,
                RecordKind.DisableIntent, RecordKind.Reenabled, RecordKind.Deferred, RecordKind.Undeferred, RecordKind.Forced, RecordKind.RevertFailed,
                RecordKind.Superseded, RecordKind.DisabledByHand, RecordKind.Gone, RecordKind.OperatorReverted, RecordKind.OperatorApplied,
                RecordKind.Quarantined, RecordKind.Released, RecordKind.Confirmed, RecordKind.Unconfirmed, RecordKind.MarkRaised,
            ],
            content.Records.Select(r => r.Kind));
        byte[] again = [.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine), .. content.Records.SelectMany(JournalCodec.Encode)];
        Assert.Equal(Encoding.UTF8.GetString(bytes), Encoding.UTF8.GetString(again));
        var quarantined = content.Records.Single(r => r.Kind is RecordKind.Quarantined);
        Assert.Equal((Reason.KernelOops, "BUG: kernel NULL pointer dereference"), (quarantined.Reason, quarantined.Detail));
        Assert.Equal(new HealthBaseline(1, 2, 512, ["ssh.service"], true, 7), quarantined.Baseline);
    }

    [Fact]
    public void StateLog_WithKindOfNewerVersion_IsNewerAndNotDamaged()
    {
        byte[] bytes =
        [
            .. Log("0.1.log"),
            .. Framed("""{"kind":"Witnessed","name":"lp_one","boot":"b","mono_us":1,"wall_us":1,"of":"something"}"""),
        ];
        var content = JournalCodec.Decode(bytes);
        Assert.True(content.Newer);
        Assert.Equal("record 23 is none that this version knows", content.Damage);
        Assert.Equal(22, content.Records.Length);
    }

    [Theory]
    [InlineData("livepatchd journal 2\n", true)]
    [InlineData("livepatchd journal 17\nwhatever it says", true)]
    [InlineData("livepatchd journal x\n", false)]
    [InlineData("livepatchd journal \n", false)]
    [InlineData("something else\n", false)]
    public void StateLog_OtherVersionLine_IsNewerWhereItIsANumber(string text, bool newer)
    {
        var content = JournalCodec.Decode(Encoding.ASCII.GetBytes(text));
        Assert.Equal((newer, true, 0), (content.Newer, content.Damage is not null, content.Records.Length));
    }

    [Theory]
    [InlineData("""{"kind":"Forced","name":"no name at all","boot":"b","mono_us":1,"wall_us":1}""")]
    [InlineData("""{"name":"lp_one","boot":"b","mono_us":1,"wall_us":1}""")]
    [InlineData("""{"kind":7,"name":"lp_one","boot":"b","mono_us":1,"wall_us":1}""")]
    [InlineData("[]")]
    [InlineData("no json")]
    public void StateLog_KnownKindThatMakesNoSense_IsDamaged(string json)
    {
        var content = JournalCodec.Decode([.. Encoding.ASCII.GetBytes(JournalCodec.VersionLine), .. Framed(json)]);
        Assert.Equal((false, true), (content.Newer, content.Damage is not null));
    }
}
