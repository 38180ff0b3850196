// Each system call of intake, store, staging and state files fails once: done or refused with a reason, nothing torn, nothing left lying about.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Tests.Store;

namespace LivePatchd.Linux.Tests.Faults;

[Collection("faults")]
public sealed class StoreFaultTests
{
    private const string Watched = "/var/lib/livepatchd/patches";
    private const string Here = Watched + "/" + ModuleImage.Release;
    private const string File1 = Here + "/lp_one.ko";
    private const string StoreDirectory = "/var/lib/livepatchd/store";
    private const string StateFilePath = "/var/lib/livepatchd/state/hold";

    private static readonly byte[] Image = new ModuleImage().Build();

    private static readonly ImmutableArray<WatchedDirectory> Directories = [new WatchedDirectory(Watched, ReadOnly: false)];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Intake(bool compressed)
    {
        var path = compressed ? File1 + ".gz" : File1;
        var failures = FaultSweep.Run(
            root => root.Write(path, compressed ? Compressed.Gzip(Image) : Image),
            root => new PatchStore(root.Root).Intake(root.Root, path),
            (root, result, fault) =>
            {
                Assert.True(result.Stored is null != result.Refused is null, fault);
                if (result.Stored is { } stored)
                    Assert.True(Image.AsSpan().SequenceEqual(File.ReadAllBytes(root.Path(stored.StorePath))), fault);
                else
                    Assert.True(result.Refused!.Reason is Reason.UnreadableFile or Reason.StoreUnavailable or Reason.CorruptCompression && result.Refused.Detail.Length > 0, $"{fault}: {result.Refused}");
                var again = new PatchStore(root.Root);
                Assert.True(again.Intake(root.Root, path).Stored is not null, fault);
                NoOrphans(root, again, fault);
            });
        Assert.InRange(failures, 15 * FaultSweep.Errnos.Length, 1_000);
    }

    [Fact]
    public void A_scan_never_takes_an_error_for_an_empty_directory()
    {
        var failures = FaultSweep.Run(
            root => root.Write(File1, Image),
            root => new DirectoryScanner(root.Root, new PatchStore(root.Root), (_, _) => default).Scan(Directories, ModuleImage.Release),
            (root, result, fault) =>
            {
                Assert.True(result.Desired.Wanted.Length + result.Desired.Refused.Length + result.Desired.Unreadable.Length >= 1, fault);
                Assert.All(result.Desired.Wanted, w => Assert.True(Image.AsSpan().SequenceEqual(File.ReadAllBytes(root.Path(result.Stored[w.Module.Digest].StorePath))), fault));
                var store = new PatchStore(root.Root);
                var again = new DirectoryScanner(root.Root, store, (_, _) => default).Scan(Directories, ModuleImage.Release);
                Assert.True(again.Desired is { Wanted.Length: 1, Refused.IsEmpty: true, Unreadable.IsEmpty: true }, fault);
                NoOrphans(root, store, fault);
            });
        Assert.InRange(failures, 20 * FaultSweep.Errnos.Length, 2_000);
    }

    [Fact]
    public void The_same_scanner_recovers_with_its_next_pass() => FaultSweep.Run(
        root => root.Write(File1, Image),
        root =>
        {
            var scanner = new DirectoryScanner(root.Root, new PatchStore(root.Root), (_, _) => default);
            scanner.Scan(Directories, ModuleImage.Release);
            return scanner;
        },
        (_, scanner, fault) => Assert.True(scanner.Scan(Directories, ModuleImage.Release).Desired is { Wanted.Length: 1, Refused.IsEmpty: true, Unreadable.IsEmpty: true }, fault));

    [Fact]
    public void Opening_and_collecting_copies() => FaultSweep.Run(
        root =>
        {
            root.Write(File1, Image);
            root.Write($"{StoreDirectory}/{new string('a', 64)}.ko", "unwanted");
            root.Write($"{StoreDirectory}/.tmp-x", "left");
            new PatchStore(root.Root).Intake(root.Root, File1);
        },
        root =>
        {
            var store = new PatchStore(root.Root);
            var stored = store.Intake(root.Root, File1).Stored;
            var opened = stored is null ? default : store.OpenStored(stored);
            opened.Value?.Dispose();
            store.Collect(stored is null ? [] : new HashSet<Sha256> { stored.Digest });
            return opened;
        },
        (root, _, fault) => NoOrphans(root, new PatchStore(root.Root), fault));

    [Fact]
    public void Staging()
    {
        var failures = FaultSweep.Run(
            root =>
            {
                root.MakeDirectory(Watched);
                root.Write("/source", Image);
            },
            root => new StagingArea(root.Root, new PatchStore(root.Root)).Stage(File.OpenHandle(root.Path("/source")), "lp_one.ko", Directories, ModuleImage.Release),
            (root, result, fault) =>
            {
                Assert.True((result.Name is not null ? 1 : 0) + (result.Refused is not null ? 1 : 0) + (result.Error.IsOk ? 0 : 1) == 1, fault);
                var there = File.Exists(root.Path(File1));
                Assert.True(there || result.Name is null, fault);
                if (there)
                    Assert.True(Image.AsSpan().SequenceEqual(File.ReadAllBytes(root.Path(File1))), fault);
                var store = new PatchStore(root.Root);
                new Leftovers(root.Root, store).Sweep(Directories);
                NoOrphans(root, store, fault);
                var again = new StagingArea(root.Root, store).Stage(File.OpenHandle(root.Path("/source")), "lp_one.ko", Directories, ModuleImage.Release);
                Assert.True(again.Name is not null, $"{fault}: {again}");
                Assert.True(Directory.GetFileSystemEntries(root.Path(Here)).Length == 1, fault);
            });
        Assert.InRange(failures, 20 * FaultSweep.Errnos.Length, 2_000);
    }

    [Fact]
    public void Unstaging() => FaultSweep.Run(
        root => root.Write(File1, Image),
        root => new StagingArea(root.Root, new PatchStore(root.Root)).Unstage([File1], Directories),
        (root, result, fault) =>
        {
            Assert.True(!result.IsOk || !File.Exists(root.Path(File1)), fault);
            var again = new StagingArea(root.Root, new PatchStore(root.Root)).Unstage([File1], Directories);
            Assert.True(again.IsOk || again.Errno == Errno.ENOENT, fault);
            Assert.False(File.Exists(root.Path(File1)), fault);
        });

    [Fact]
    public void State_files()
    {
        var failures = FaultSweep.Run(
            root => Assert.True(new StateFile(root.Root, StateFilePath).Write("old"u8).IsOk),
            root =>
            {
                var file = new StateFile(root.Root, StateFilePath);
                return (Written: file.Write("the new content"u8), Read: file.Read());
            },
            (root, result, fault) =>
            {
                var now = File.ReadAllText(root.Path(StateFilePath));
                Assert.True(now == "the new content" || (now == "old" && !result.Written.IsOk), $"{fault}: {now}");
                Assert.True(!result.Read.IsOk || System.Text.Encoding.UTF8.GetString(result.Read.Value!) == now, fault);
                var store = new PatchStore(root.Root);
                new Leftovers(root.Root, store).Sweep(Directories);
                NoOrphans(root, store, fault);
                Assert.True(new StateFile(root.Root, StateFilePath).Write("again"u8).IsOk, fault);
                Assert.Equal("again", File.ReadAllText(root.Path(StateFilePath)));
            });
        Assert.InRange(failures, 10 * FaultSweep.Errnos.Length, 1_000);
    }

    [Fact]
    public void Removing_a_state_file() => FaultSweep.Run(
        root => Assert.True(new StateFile(root.Root, StateFilePath).Write("old"u8).IsOk),
        root => new StateFile(root.Root, StateFilePath).Remove(),
        (root, result, fault) =>
        {
            Assert.True(!result.IsOk || !File.Exists(root.Path(StateFilePath)), fault);
            Assert.True(new StateFile(root.Root, StateFilePath).Remove().IsOk, fault);
            Assert.False(File.Exists(root.Path(StateFilePath)), fault);
        });

    [Fact]
    public void The_lock() => FaultSweep.Run(
        static _ => { },
        root =>
        {
            using var instance = new InstanceLock(root.Root);
            return instance.TryAcquire();
        },
        (root, result, fault) =>
        {
            Assert.True(result.IsOk || result.Errno != Errno.EAGAIN, fault);
            using var again = new InstanceLock(root.Root);
            Assert.True(again.TryAcquire().IsOk, fault);
        });

    private static void NoOrphans(FakeRoot root, PatchStore store, string fault)
    {
        var wanted = store.Intake(root.Root, File.Exists(root.Path(File1)) ? File1 : File1 + ".gz").Stored;
        store.Collect(wanted is null ? new HashSet<Sha256>() : new HashSet<Sha256> { wanted.Digest });
        var left = Directory.EnumerateFileSystemEntries(root.Path("/var/lib/livepatchd"), "*", SearchOption.AllDirectories)
            .Where(p => Path.GetFileName(p)[0] == '.' || p.EndsWith(new string('a', 64) + ".ko", StringComparison.Ordinal)).ToList();
        Assert.True(left.Count == 0, $"{fault}: {string.Join(", ", left)}");
    }
}
