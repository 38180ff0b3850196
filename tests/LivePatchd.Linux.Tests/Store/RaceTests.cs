// Somebody exchanges the file while it is taken in: whatever the moment, only bytes that were verified are ever handed to the kernel.
using System.Globalization;
using System.IO.MemoryMappedFiles;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Tests.Trust;

namespace LivePatchd.Linux.Tests.Store;

[Trait("Length", "long")]
public sealed class RaceTests : IDisposable
{
    private const string Watched = "/var/lib/livepatchd/patches";
    private const string Here = Watched + "/" + ModuleImage.Release;
    private const string Target = Here + "/lp_one.ko";
    private const string Keys = "/etc/livepatchd/keys.d";
    private const nuint Bind = 4096;
    private const int Detach = 2;

    /// <summary>LIVEPATCHD_RACE_ROUNDS sets it: the long run has 2,000 a method.</summary>
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("LIVEPATCHD_RACE_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) ? rounds : 100;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    // Where syncing costs nothing: it is the races that take the time.
    private readonly FakeRoot root = new(System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : null);
    private readonly Author author = Author.Rsa("author");
    private readonly PatchStore store;
    private readonly DirectoryScanner scanner;
    private readonly byte[] good;
    private readonly byte[] evil;

    public RaceTests()
    {
        store = new PatchStore(root.Root);
        scanner = new DirectoryScanner(root.Root, store);
        root.Write(Keys + "/author.pem", author.Pem);
        root.MakeDirectory(Here);
        // Of one length, so that neither shows in the size, and long enough to be met half written.
        good = author.SignModule(ModuleImage.Named("lp_one", filler: new string('g', 50_000)).Build());
        evil = [.. good];
        evil.AsSpan().Replace((byte)'g', (byte)'e');
    }

    public void Dispose()
    {
        root.Dispose();
        author.Dispose();
    }

    [Fact]
    public void Rename()
    {
        var next = 0;
        Race(() =>
        {
            root.Write(Here + "/.next", next++ % 2 == 0 ? evil : good);
            File.Move(root.Path(Here + "/.next"), root.Path(Target), overwrite: true);
        });
    }

    [Fact]
    public void Writing_in_place()
    {
        root.Write(Target, good);
        using var file = File.OpenHandle(root.Path(Target), FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        var next = 0;
        Race(() => RandomAccess.Write(file, next++ % 2 == 0 ? evil : good, 0));
    }

    [Fact]
    public void Writing_through_a_mapping()
    {
        root.Write(Target, good);
        using var map = MemoryMappedFile.CreateFromFile(root.Path(Target), FileMode.Open);
        using var view = map.CreateViewAccessor();
        var next = 0;
        Race(() =>
        {
            view.WriteArray(0, next++ % 2 == 0 ? evil : good, 0, good.Length);
            // A mapping that is dirty already changes no time stamp, and a file that looks unchanged would not be read again.
            File.SetLastWriteTimeUtc(root.Path(Target), DateTime.UnixEpoch.AddSeconds(next));
        });
    }

    [Fact]
    public void Writing_through_another_name()
    {
        root.Write(Target, good);
        var next = 0;
        Race(() =>
        {
            var other = root.Path(Here + "/.other");
            Assert.Equal(0, FakeRoot.link(root.Path(Target), other));
            using (var file = File.OpenHandle(other, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
                RandomAccess.Write(file, next++ % 2 == 0 ? evil : good, 0);
            File.Delete(other);
        });
    }

    [Fact]
    public void Mounting_over_it()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "bind mounts were not raced: only root can mount");
        var (target, other) = (root.Write(Target, good), root.Write("/other.ko", evil));
        Assert.SkipUnless(FakeRoot.mount(other, target, "none", Bind, "") == 0, "bind mounts were not raced: this environment does not let root mount");
        try
        {
            // Whatever it is that is mounted there: it is not this directory's.
            var refused = Assert.Single(Scan().Desired.Refused);
            Assert.Equal((Reason.NotARegularFile, "something is mounted over it"), (refused.Reason, refused.Detail));
        }
        finally
        {
            Assert.Equal(0, FakeRoot.umount2(target, Detach));
        }
        Race(() =>
        {
            Assert.Equal(0, FakeRoot.mount(other, target, "none", Bind, ""));
            Thread.SpinWait(50_000);
            Assert.Equal(0, FakeRoot.umount2(target, Detach));
        });
    }

    /// <summary>The attack runs on a thread of its own, over and over; every round is a scan, and a load where the scan allows one.</summary>
    private void Race(Action attack)
    {
        root.Write(Target, good);
        Exception? broken = null;
        using var stop = new CancellationTokenSource(Limit);
        var attacks = 0L;
        var attacker = new Thread(() =>
        {
            // Pauses of any length, none too: some rounds meet a file at rest, most do not.
            var random = new Random(1);
            try
            {
                while (!stop.IsCancellationRequested)
                {
                    attack();
                    Interlocked.Increment(ref attacks);
                    if (random.Next(3) > 0)
                        Thread.SpinWait(random.Next(60_000));
                }
            }
            catch (Exception e)
            {
                broken = e;
            }
        });
        attacker.Start();
        var (loads, wrong) = (0, 0);
        for (var round = 0; round < Rounds && !stop.IsCancellationRequested; round++)
        {
            // Every round meets another attack.
            var before = Interlocked.Read(ref attacks);
            SpinWait.SpinUntil(() => Interlocked.Read(ref attacks) != before || broken is not null);
            if (Load() is not { } bytes)
                continue;
            loads++;
            wrong += bytes.AsSpan().SequenceEqual(good) ? 0 : 1;
            if (loads % 50 == 0)
                store.Collect(new HashSet<Sha256>());
        }
        Assert.False(stop.IsCancellationRequested);
        stop.Cancel();
        attacker.Join();
        Assert.Null(broken);
        Assert.Equal(0, wrong);
        // A race that one side always wins is none.
        Assert.InRange(loads, 1, Rounds - 1);

        // Once it is quiet the good file is taken: it was the race that kept it out, and no mistake of ours.
        root.Write(Here + "/.next", good);
        File.Move(root.Path(Here + "/.next"), root.Path(Target), overwrite: true);
        Assert.Equal(good, Load());
        TestContext.Current.TestOutputHelper?.WriteLine($"{Rounds} rounds, {attacks} attacks, {loads} loads");
    }

    /// <summary>What finit_module would read; null when nothing may be loaded.</summary>
    private byte[]? Load()
    {
        var scan = Scan();
        if (scan.Desired.Wanted.IsEmpty)
            return null;
        var opened = store.OpenStored(scan.Stored[scan.Desired.Wanted[0].Module.Digest]);
        Assert.True(opened.IsOk);
        using var file = opened.Value;
        var bytes = new byte[RandomAccess.GetLength(file)];
        Assert.Equal(bytes.Length, RandomAccess.Read(file, bytes, 0));
        return bytes;
    }

    private ScanResult Scan() => scanner.Scan(
        [new WatchedDirectory(Watched, ReadOnly: false)], ModuleImage.Release, new TrustSettings(TrustRequirement.ModuleSignature, Keys, "root"));
}
