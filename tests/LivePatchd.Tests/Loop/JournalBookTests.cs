// The ledger while the disk under it fails: what is known is not forgotten, and what is written reads back.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Recovery;
using LivePatchd.EndToEnd.Tests;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;
using LivePatchd.Loop;

namespace LivePatchd.Tests.Loop;

[Collection("faults")]
public sealed class JournalBookTests : IDisposable
{
    private const string First = Bench.Boot;
    private const string Second = Bench.NextBoot;
    private static readonly PatchName One = PatchName.Parse("lp_one");
    private static readonly Sha256 Digest = Sha256.TryParse(new string('1', 64))!.Value;

    private readonly Bench bench = new();
    private readonly List<JournalBook> books = [];
    private readonly Thread me = Thread.CurrentThread;

    private string Journal => bench.Root.Path(JournalBook.Path);

    public void Dispose()
    {
        CallFault.Inject = null;
        books.ForEach(b => b.Dispose());
        bench.Dispose();
    }

    /// <summary>Of this thread, and of the one on which it writes what is urgent.</summary>
    private void Fail(Errno errno, params string[] calls) =>
        CallFault.Inject = call => (Thread.CurrentThread == me || Thread.CurrentThread.Name == "journal") && (calls.Length == 0 || calls.Contains(call)) ? errno : Errno.None;

    private static void Mend() => CallFault.Inject = null;

    private HostBook Mark() => new(new StateFile(bench.Root, HostBook.Path), new StateFile(bench.Root, HostBook.EndPath), bench.Log);

    /// <summary>As a start of the daemon has it.</summary>
    private JournalBook Started(string boot = First, HostBook? mark = null)
    {
        if (mark is null)
            (mark = Mark()).Open(boot, bench.Now);
        var book = new JournalBook(new AppendLog(bench.Root, JournalBook.Path), mark, () => [], bench.Clock, bench.Log);
        books.Add(book);
        book.Open(boot);
        return book;
    }

    private JournalRecord R(RecordKind kind, string boot = First) =>
        new(kind, One, boot, bench.Now, Digest, Reason: kind is RecordKind.Quarantined ? Reason.KernelOops : null) { Baseline = kind is RecordKind.LoadIntent ? new(0, 0, 0, [], true, 1) : null };

    private JournalContent Content() => JournalCodec.Decode(File.ReadAllBytes(Journal));

    [Fact]
    public void Open_UnreadableInMidRun_ForgetsNothingAndRevertGoesOn()
    {
        var book = Started();
        Assert.True(book.Record(R(RecordKind.LoadIntent)));
        Assert.True(book.Record(R(RecordKind.Loaded)));
        Fail(Errno.EIO);
        Assert.False(book.Record(R(RecordKind.OperatorReverted)));
        book.Open(First);
        Assert.Equal(Reason.JournalUnavailable, book.Bar);
        Assert.True(book.Ledger.Owned[One].IsLoaded);
        Assert.True(book.Record(R(RecordKind.Quarantined)));
        book.Open(First);
        Assert.True(book.Record(R(RecordKind.DisableIntent)));
        Assert.NotNull(book.Ledger.Owned[One].DisabledAt);
        Assert.False(book.Record(R(RecordKind.Confirmed)));

        Mend();
        book.Open(First);
        Assert.Null(book.Bar);
        var again = Started();
        Assert.NotNull(again.Ledger.Owned[One].DisabledAt);
        Assert.Contains(Digest, again.Ledger.Quarantined.Keys);
    }

    [Fact]
    public void Open_GoneInMidRun_ForgetsNothingUntilItIsBack()
    {
        var book = Started();
        Assert.True(book.Record(R(RecordKind.LoadIntent)));
        Fail(Errno.EIO);
        Assert.False(book.Record(R(RecordKind.Loaded)));
        Mend();
        File.Move(Journal, Journal + ".elsewhere");
        book.Open(First);
        Assert.Equal(Reason.JournalUnavailable, book.Bar);
        Assert.Contains(One, book.Ledger.Owned.Keys);
        File.Move(Journal + ".elsewhere", Journal);
        book.Open(First);
        Assert.Null(book.Bar);
        Assert.Contains(One, book.Ledger.Owned.Keys);
    }

    [Fact]
    public void Record_BeforeFirstRead_DoesNotCount()
    {
        Started().Record(R(RecordKind.LoadIntent));
        Fail(Errno.EIO);
        var book = Started();
        Assert.False(book.Record(R(RecordKind.Quarantined)));
        Mend();
        book.Open(First);
        Assert.Contains(One, book.Ledger.Owned.Keys);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Open_DamagedRecord_KeepsWhatProtects(bool onceMore)
    {
        var book = Started();
        foreach (var kind in new[] { RecordKind.LoadIntent, RecordKind.Quarantined, RecordKind.OperatorReverted, RecordKind.Forced, RecordKind.OperatorReverted })
            Assert.True(book.Record(R(kind)));
        var bytes = File.ReadAllBytes(Journal);
        bytes[bytes.AsSpan().IndexOf("Forced"u8)] ^= 1;
        File.WriteAllBytes(Journal, bytes);
        if (onceMore)
        {
            // The new one cannot be written: the damaged one is not given up for it.
            Fail(Errno.ENOSPC, "rename");
            var unable = Started();
            Assert.Equal(Reason.JournalUnreadable, unable.Bar);
            Assert.Contains(Digest, unable.Ledger.Quarantined.Keys);
            Assert.False(unable.Record(R(RecordKind.OperatorApplied)));
            Assert.False(unable.HasLearned);
            Assert.Equal(bytes, File.ReadAllBytes(Journal));
            Mend();
        }
        foreach (var bar in new Reason?[] { Reason.JournalUnreadable, null })
        {
            book = Started(Second);
            Assert.Equal(bar, book.Bar);
            Assert.Contains(Digest, book.Ledger.Quarantined.Keys);
            Assert.Contains(One, book.Ledger.Reverted);
            Assert.Equal(bytes, File.ReadAllBytes(Journal + ".damaged"));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Record_UrgentOnHangingDisk_CountsAtOnceAndIsWrittenOnce(bool fails)
    {
        var book = Started();
        Assert.True(book.Record(R(RecordKind.LoadIntent)));
        Assert.True(book.Record(R(RecordKind.Loaded)));
        using var answers = new ManualResetEventSlim();
        CallFault.Inject = call =>
        {
            if (Thread.CurrentThread.Name != "journal" || call != "write")
                return Errno.None;
            answers.Wait(Limit.Long);
            return fails ? Errno.EIO : Errno.None;
        };
        Assert.True(book.Record(R(RecordKind.Quarantined)));
        Assert.True(book.Record(R(RecordKind.DisableIntent)));
        Assert.Contains(Digest, book.Ledger.Quarantined.Keys);
        Assert.NotNull(book.Ledger.Owned[One].DisabledAt);
        Assert.Equal((Reason.JournalUnavailable, true), (book.Bar, book.IsBehind));
        // Nothing else goes before it, and nobody touches the file meanwhile.
        Assert.False(book.Record(R(RecordKind.OperatorApplied)));
        book.Flush();
        book.Open(First);
        Assert.Equal(Reason.JournalUnavailable, book.Bar);
        Assert.Equal([RecordKind.LoadIntent, RecordKind.Loaded], Content().Records.Select(r => r.Kind));

        // A daemon that is killed here has the open intent of the load, by which it judges anew.
        var killed = LedgerFold.Replay(Content().Records, First);
        Assert.NotEmpty(Probation.Suspects(killed));
        Assert.Equal(Reason.HostCrashed, Assert.Single(CrashGuard.Learn(Content().Records, Second, new HashSet<string>(), bench.Now)).Reason);

        answers.Set();
        Assert.True(SpinWait.SpinUntil(() => { book.Open(First); return book.Bar is null; }, Limit.Long));
        Mend();
        Assert.False(book.IsBehind);
        Assert.Equal([RecordKind.LoadIntent, RecordKind.Loaded, RecordKind.Quarantined, RecordKind.DisableIntent], Content().Records.Select(r => r.Kind));
        Assert.True(book.Record(R(RecordKind.Gone)));
        var next = Started();
        Assert.Empty(next.Ledger.Owned);
        Assert.Contains(Digest, next.Ledger.Quarantined.Keys);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Open_DamageInMidRun_TakesNothingFromTheLedger(bool atStart)
    {
        var book = Started();
        foreach (var kind in new[] { RecordKind.LoadIntent, RecordKind.Loaded, RecordKind.Forced, RecordKind.OperatorApplied })
            Assert.True(book.Record(R(kind)));
        var bytes = File.ReadAllBytes(Journal);
        bytes[bytes.AsSpan().IndexOf("LoadIntent"u8)] ^= 1;
        File.WriteAllBytes(Journal, bytes);
        Fail(Errno.ENOSPC);
        if (atStart)
            book = Started();
        Assert.False(book.Record(R(RecordKind.OperatorReverted)));
        // Neither the file nor its copy can be written yet.
        Fail(Errno.ENOSPC, "rename");
        book.Open(First);
        Assert.Equal((Reason.JournalUnreadable, !atStart, true), (book.Bar, book.Stands, book.IsBehind));
        Assert.Equal(!atStart, book.Ledger.Owned.ContainsKey(One));
        Assert.True(book.Record(R(RecordKind.Quarantined)));
        Assert.Equal(!atStart, book.Record(R(RecordKind.DisableIntent)));
        Assert.Equal(bytes, File.ReadAllBytes(Journal));

        // Written when it can be; what stands in for the damaged file does not replace the ledger, then or later.
        Mend();
        for (var i = 0; i < 2; i++)
        {
            book.Open(First);
            Assert.Equal((Reason.JournalUnreadable, !atStart, false), (book.Bar, book.Stands, book.IsBehind));
            Assert.Equal(!atStart, book.Ledger.Owned.ContainsKey(One));
            Assert.Contains(Digest, book.Ledger.Quarantined.Keys);
        }
        var next = Started();
        Assert.Null(next.Bar);
        Assert.Contains(Digest, next.Ledger.Quarantined.Keys);
    }

    [Fact]
    public void Open_DamagedAfterCrash_StillFindsWhoWasSoaking()
    {
        var book = Started();
        foreach (var kind in new[] { RecordKind.Forced, RecordKind.LoadIntent, RecordKind.OperatorApplied })
            Assert.True(book.Record(R(kind)));
        var bytes = File.ReadAllBytes(Journal);
        bytes[bytes.AsSpan().IndexOf("Forced"u8)] ^= 1;
        File.WriteAllBytes(Journal, bytes);
        Assert.Equal(Reason.HostCrashed, Started(Second).Ledger.Quarantined[Digest].Reason);
        Assert.Equal(Reason.HostCrashed, Started(Second).Ledger.Quarantined[Digest].Reason);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Open_FileOfNewerVersion_LeavesItAndKeepsWhatProtects(bool otherFormat)
    {
        var book = Started();
        foreach (var kind in new[] { RecordKind.LoadIntent, RecordKind.Quarantined, RecordKind.OperatorReverted })
            Assert.True(book.Record(R(kind)));
        // Its checksum is right, its kind unknown here.
        var bytes = File.ReadAllBytes(Journal).Concat("f362a08a {\"kind\":\"Witnessed\",\"name\":\"lp_one\",\"boot\":\"b\",\"mono_us\":1,\"wall_us\":1}\n"u8.ToArray()).ToArray();
        if (otherFormat)
            bytes[JournalCodec.VersionLine.Length - 2] = (byte)'2';
        File.WriteAllBytes(Journal, bytes);
        for (var i = 0; i < 2; i++)
        {
            var older = Started(Second);
            Assert.Equal((Reason.JournalNewer, false, false), (older.Bar, older.Stands, older.HasLearned));
            Assert.Contains(Digest, older.Ledger.Quarantined.Keys);
            Assert.Contains(One, older.Ledger.Reverted);
            // An operator's word that cannot be kept is refused.
            Assert.False(older.Record(R(RecordKind.OperatorApplied, Second)));
            older.Open(Second);
            Assert.Equal(Reason.JournalNewer, older.Bar);
            Assert.Equal(bytes, File.ReadAllBytes(Journal));
            Assert.False(File.Exists(Journal + ".damaged"));
        }
    }

    [Fact]
    public void Open_FileOfNewerVersionIsMovedAway_GoesOnAtTheNextStart()
    {
        Assert.True(Started().Record(R(RecordKind.Quarantined)));
        var ours = File.ReadAllBytes(Journal);
        File.WriteAllText(Journal, "livepatchd journal 2\n");
        var book = Started();
        Assert.Equal(Reason.JournalNewer, book.Bar);
        File.WriteAllBytes(Journal, ours);
        book.Open(First);
        Assert.Null(book.Bar);
        Assert.Contains(Digest, book.Ledger.Quarantined.Keys);
    }

    [Theory]
    [InlineData(JournalCodec.VersionLine + "0000")]
    [InlineData("livepatchd jour")]
    [InlineData("")]
    public void Record_TornTailOnFullDisk_WritesNothingBehindIt(string content)
    {
        bench.Files.MakeDirectory("/var/lib/livepatchd/state");
        File.WriteAllText(Journal, content);
        Fail(Errno.ENOSPC, "rename");
        var book = Started();
        Assert.Equal(Reason.JournalUnavailable, book.Bar);
        Assert.False(book.Record(R(RecordKind.LoadIntent)));
        Assert.True(book.Record(R(RecordKind.Quarantined)));
        Assert.Null(Content().Damage);
        Mend();
        book.Open(First);
        Assert.Null(book.Bar);
        Assert.True(book.Record(R(RecordKind.OperatorApplied)));
        Assert.Equal([RecordKind.Quarantined, RecordKind.OperatorApplied], Content().Records.Select(r => r.Kind));
    }

    [Fact]
    public void HasLearned_GuardNotWritten_KeepsMarkOfCleanBoot()
    {
        var mark = Mark();
        mark.Open(First, bench.Now);
        Assert.True(Started(First, mark).Record(R(RecordKind.LoadIntent)));
        mark.Begin();
        mark.End(shutDown: true);

        mark = Mark();
        mark.Open(Second, bench.Now);
        Fail(Errno.ENOSPC, "rename");
        var book = Started(Second, mark);
        // Nor does anything go before what the guard has to write.
        Assert.False(book.Record(R(RecordKind.OperatorApplied, Second)));
        Assert.False(book.HasLearned);
        Mend();
        mark.End(shutDown: false);
        Assert.Empty(Started(Second).Ledger.Quarantined);
    }
}
