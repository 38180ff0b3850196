// Each system call of the journal fails once, with every errno: what was accepted is read again, what was refused leaves the log whole.
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Tests.Faults;

[Collection("faults")]
public sealed class JournalFaultTests
{
    private const string LogPath = "/var/lib/livepatchd/state/journal";

    private static JournalRecord Record(int number) =>
        new(RecordKind.OperatorReverted, PatchName.Parse($"lp_{number}"), "boot", new Instant(TimeSpan.FromSeconds(number), DateTimeOffset.UnixEpoch));

    private static byte[] Start => Encoding.ASCII.GetBytes(JournalCodec.VersionLine);

    private static JournalContent Read(FakeRoot root) => JournalCodec.Decode(File.ReadAllBytes(root.Path(LogPath)));

    [Fact]
    public void Appending()
    {
        var failures = FaultSweep.Run(
            static root =>
            {
                using var log = new AppendLog(root.Root, LogPath);
                Assert.True(log.Replace(Start).IsOk);
            },
            static root =>
            {
                var accepted = new List<JournalRecord>();
                using var log = new AppendLog(root.Root, LogPath);
                for (var i = 0; i < 6; i++)
                {
                    var durable = i % 3 == 0;
                    if (log.Append(JournalCodec.EncodeBehind(durable ? 0 : log.Unsynced, Record(i)), durable).IsOk)
                        accepted.Add(Record(i));
                    if (i == 4)
                        log.Sync();
                }
                return accepted;
            },
            static (root, accepted, fault) =>
            {
                var read = Read(root);
                Assert.True(read.Damage is null, $"{fault}: {read.Damage}");
                Assert.True(read.Records.SequenceEqual(accepted), $"{fault}: {read.Records.Length} read, {accepted.Count} accepted");
                using var log = new AppendLog(root.Root, LogPath);
                Assert.True(log.Append(JournalCodec.Encode(Record(9))).IsOk, fault);
                Assert.Equal(Record(9), Read(root).Records[^1]);
            });
        Assert.InRange(failures, 10 * FaultSweep.Errnos.Length, 1_000);
    }

    [Fact]
    public void Reading_replacing_and_setting_aside()
    {
        var failures = FaultSweep.Run(
            static root =>
            {
                using var log = new AppendLog(root.Root, LogPath);
                Assert.True(log.Replace([.. Start, .. JournalCodec.Encode(Record(1))]).IsOk);
            },
            static root =>
            {
                using var log = new AppendLog(root.Root, LogPath);
                return (Read: log.ReadAll(), Replaced: log.Replace([.. Start, .. JournalCodec.Encode(Record(2))]), Aside: log.SetAside(".damaged"));
            },
            static (root, result, fault) =>
            {
                Assert.True(!result.Read.IsOk || JournalCodec.Decode(result.Read.Value).Records.SequenceEqual([Record(1)]), fault);
                var path = File.Exists(root.Path(LogPath)) ? LogPath : LogPath + ".damaged";
                Assert.True(!result.Aside.IsOk || path != LogPath, fault);
                var kept = JournalCodec.Decode(File.ReadAllBytes(root.Path(path))).Records;
                Assert.True(kept.SequenceEqual([Record(2)]) || (!result.Replaced.IsOk && kept.SequenceEqual([Record(1)])), fault);
                new Leftovers(root.Root, new PatchStore(root.Root)).Sweep([]);
                Assert.True(Directory.GetFileSystemEntries(root.Path("/var/lib/livepatchd/state")).Length == 1, fault);
                using var log = new AppendLog(root.Root, LogPath);
                Assert.True(log.Replace(Start).IsOk && log.Append(JournalCodec.Encode(Record(3))).IsOk, fault);
                Assert.Equal([Record(3)], Read(root).Records);
            });
        Assert.InRange(failures, 15 * FaultSweep.Errnos.Length, 1_000);
    }

    [Fact]
    public void A_durable_record_is_written_only_after_what_was_not_synced()
    {
        using var root = new FakeRoot();
        using var log = new AppendLog(root.Root, LogPath);
        Assert.True(log.Append("one\n"u8, durable: false).IsOk);
        Assert.Equal(4, log.Unsynced);
        var thread = Environment.CurrentManagedThreadId;
        var calls = new List<string>();
        Errno Listen(string call)
        {
            if (Environment.CurrentManagedThreadId == thread)
                calls.Add(call);
            return Errno.None;
        }
        CallFault.Inject += Listen;
        try
        {
            Assert.True(log.Append("two\n"u8).IsOk);
            Assert.True(log.Append("three\n"u8).IsOk);
        }
        finally
        {
            CallFault.Inject -= Listen;
        }
        Assert.Equal(["fdatasync", "write", "fdatasync", "write", "fdatasync"], calls);
        Assert.Equal(0, log.Unsynced);
    }

    [Fact]
    public void After_a_failed_sync_nothing_is_accepted_until_the_log_is_written_anew()
    {
        using var root = new FakeRoot();
        using var log = new AppendLog(root.Root, LogPath);
        Assert.True(log.Append("one\n"u8).IsOk);
        var thread = Environment.CurrentManagedThreadId;
        Errno Fail(string call) => Environment.CurrentManagedThreadId == thread && call == "fdatasync" ? Errno.EIO : Errno.None;
        CallFault.Inject += Fail;
        try
        {
            Assert.Equal(Errno.EIO, log.Append("two\n"u8).Errno);
        }
        finally
        {
            CallFault.Inject -= Fail;
        }
        // The kernel reports such an error once; the next sync would say that all is well.
        Assert.Equal(Errno.EIO, log.Append("two\n"u8).Errno);
        Assert.Equal(Errno.EIO, log.Append("two\n"u8, durable: false).Errno);
        Assert.True(log.Replace("one\n"u8).IsOk);
        Assert.True(log.Append("two\n"u8).IsOk);
        Assert.Equal("one\ntwo\n"u8.ToArray(), log.ReadAll().Value);
    }
}
