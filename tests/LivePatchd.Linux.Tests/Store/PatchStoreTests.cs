// Files that are taken in, files that are refused and why, and what the store holds afterwards.
using System.Security.Cryptography;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Tests.Store;

public sealed class PatchStoreTests : IDisposable
{
    private const string Watched = "/var/lib/livepatchd/patches/6.1.0";
    private const string File1 = Watched + "/lp_one.ko";
    private const string StoreDirectory = "/var/lib/livepatchd/store";

    // MS_BIND, MS_REMOUNT, MS_RDONLY; MNT_DETACH.
    private const nuint Bind = 4096;
    private const nuint Remount = 32;
    private const nuint ReadOnly = 1;
    private const int Detach = 2;

    private readonly FakeRoot root = new();

    public void Dispose() => root.Dispose();

    [Fact]
    public void A_module_is_copied_under_its_digest()
    {
        var image = new ModuleImage().Build();
        root.Write(File1, image);

        var stored = Taken(File1);

        var digest = Convert.ToHexStringLower(SHA256.HashData(image));
        Assert.Equal(digest, stored.Digest.Hex);
        Assert.Equal($"{StoreDirectory}/{digest}.ko", stored.StorePath);
        Assert.Equal((stored.Digest, (Sha256?)stored.Digest), (stored.Image, stored.Module.Content));
        Assert.Equal(image.Length, stored.Module.Size);
        Assert.Equal("lp_one", stored.Module.Name.Value);
        Assert.Equal(image, File.ReadAllBytes(root.Path(stored.StorePath)));
        Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(root.Path(stored.StorePath)));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(root.Path(StoreDirectory)));
        Assert.Single(Directory.GetFileSystemEntries(root.Path(StoreDirectory)));
    }

    [Fact]
    public void The_stored_copy_opens_for_loading()
    {
        var image = new ModuleImage().Build();
        root.Write(File1, image);
        var store = new PatchStore(root.Root);
        var opened = store.OpenStored(store.Intake(root.Root, File1).Stored!);
        Assert.True(opened.IsOk);
        using var handle = opened.Value;
        var content = new byte[image.Length];
        Assert.Equal(image.Length, RandomAccess.Read(handle, content, 0));
        Assert.Equal(image, content);
    }

    [Fact]
    public void A_copy_that_changed_since_it_was_verified_is_not_handed_out_and_is_made_anew()
    {
        var image = new ModuleImage().Build();
        root.Write(File1, image);
        var store = new PatchStore(root.Root);
        var stored = store.Intake(root.Root, File1).Stored!;
        var path = root.Path(stored.StorePath);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var changed = image.ToArray();
        changed[^1] ^= 1;
        File.WriteAllBytes(path, changed);

        Assert.Equal(Errno.EIO, store.OpenStored(stored).Errno);
        Assert.False(File.Exists(path));
        using var again = store.OpenStored(store.Intake(root.Root, File1).Stored!).Value;
        Assert.Equal(image.Length, RandomAccess.GetLength(again!));
    }

    [Fact]
    public void A_file_of_holes_is_refused_before_it_is_read()
    {
        var path = root.Write(File1, new ModuleImage().Build());
        using (var file = File.OpenHandle(path, FileMode.Open, FileAccess.Write))
            RandomAccess.SetLength(file, PatchStore.MaxFileSize);
        Refused(File1, Reason.FileTooLarge);
    }

    [Theory]
    [InlineData(".ko.gz")]
    [InlineData(".ko.zst")]
    [InlineData(".ko.xz")]
    public void What_is_kept_is_what_was_inspected_and_not_what_another_decoder_could_make_of_it(string suffix)
    {
        var image = new ModuleImage().Build();
        var packed = suffix switch
        {
            ".ko.gz" => Compressed.Gzip(image),
            ".ko.zst" => Compressed.Zstd(image),
            _ => Compressed.Xz(image),
        };
        root.Write("/sys/module/compression", "xz\n");
        root.Write(Watched + "/lp_one" + suffix, packed);

        var stored = Taken(Watched + "/lp_one" + suffix);

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(packed)), stored.Digest.Hex);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(image)), stored.Image.Hex);
        Assert.Equal($"{StoreDirectory}/{stored.Digest.Hex}.ko", stored.StorePath);
        Assert.Equal(image, File.ReadAllBytes(root.Path(stored.StorePath)));
        Assert.Equal(packed.Length, stored.Module.Size);
    }

    [Fact]
    public void A_bomb_is_refused()
    {
        root.Write(Watched + "/lp_one.ko.zst", Compressed.ZstdBomb());
        Refused(Watched + "/lp_one.ko.zst", Reason.DecompressedTooLarge);
    }

    [Theory]
    [InlineData(".ko.xz")]
    [InlineData(".ko.gz")]
    [InlineData(".ko.zst")]
    public void A_file_that_is_not_what_its_name_says_is_refused(string suffix)
    {
        root.Write(Watched + "/lp_one" + suffix, new ModuleImage().Build());
        Refused(Watched + "/lp_one" + suffix, Reason.CorruptCompression);
    }

    [Fact]
    public void A_compressed_file_under_a_plain_name_is_no_module()
    {
        root.Write(File1, Compressed.Gzip(new ModuleImage().Build()));
        Refused(File1, Reason.NotAnElfFile);
    }

    [Fact]
    public void The_same_bytes_are_kept_once()
    {
        var image = new ModuleImage().Build();
        root.Write(File1, image);
        var store = new PatchStore(root.Root);
        var first = store.Intake(root.Root, File1).Stored!;
        var written = File.GetLastWriteTimeUtc(root.Path(first.StorePath));
        root.Write(Watched + "/copy.ko", image);

        var second = store.Intake(root.Root, Watched + "/copy.ko").Stored!;

        Assert.Equal(first.StorePath, second.StorePath);
        Assert.Equal(written, File.GetLastWriteTimeUtc(root.Path(first.StorePath)));
        Assert.Single(Directory.GetFiles(root.Path(StoreDirectory)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_damaged_copy_is_not_reused(bool sameSize)
    {
        var image = new ModuleImage().Build();
        root.Write(File1, image);
        var path = root.Path(Taken(File1).StorePath);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var damaged = image.ToArray();
        damaged[^1] ^= 1;
        File.WriteAllBytes(path, sameSize ? damaged : damaged[..100]);

        var again = Taken(File1);

        Assert.Equal(image, File.ReadAllBytes(root.Path(again.StorePath)));
        Assert.Single(Directory.GetFiles(root.Path(StoreDirectory)));
    }

    [Fact]
    public void A_missing_file_is_unreadable()
    {
        root.MakeDirectory(Watched);
        Refused(File1, Reason.UnreadableFile);
        Refused("/nowhere/lp_one.ko", Reason.UnreadableFile);
    }

    [Fact]
    public void A_fifo_is_refused_without_waiting_for_a_writer()
    {
        root.MakeDirectory(Watched);
        Assert.Equal(0, FakeRoot.mkfifo(root.Path(File1), 0x180));
        Refused(File1, Reason.NotARegularFile);
    }

    [Fact]
    public void A_socket_is_refused()
    {
        root.MakeDirectory(Watched);
        using var socket = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(root.Path(File1)));
        Refused(File1, Reason.NotARegularFile);
    }

    [Fact]
    public void Links_and_directories_are_refused()
    {
        root.Write("/elsewhere.ko", new ModuleImage().Build());
        root.MakeDirectory(Watched);
        File.CreateSymbolicLink(root.Path(File1), root.Path("/elsewhere.ko"));
        File.CreateSymbolicLink(root.Path(Watched + "/dangling.ko"), "nowhere");
        root.MakeDirectory(Watched + "/directory.ko");
        Refused(File1, Reason.NotARegularFile);
        Refused(Watched + "/dangling.ko", Reason.NotARegularFile);
        Refused(Watched + "/directory.ko", Reason.NotARegularFile);
    }

    [Fact]
    public void Intake_HardLinkedOnReadOnlyMount_Taken()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "read-only mounts were not tried: only root can mount");
        var path = root.Write(File1, new ModuleImage().Build());
        Assert.Equal(0, FakeRoot.link(path, Path.GetDirectoryName(path) + "/second.ko"));
        var directory = root.Path(Watched);
        Assert.SkipUnless(FakeRoot.mount(directory, directory, "none", Bind, "") == 0, "read-only mounts were not tried: this environment does not let root mount");
        try
        {
            Refused(File1, Reason.HardLinkedFile);
            Assert.Equal(0, FakeRoot.mount("none", directory, "none", Bind | Remount | ReadOnly, ""));
            Assert.Equal("lp_one", Taken(File1).Module.Name.Value);
        }
        finally
        {
            Assert.Equal(0, FakeRoot.umount2(directory, Detach));
        }
    }

    [Fact]
    public void A_hard_linked_file_is_refused()
    {
        var path = root.Write(File1, new ModuleImage().Build());
        Assert.Equal(0, FakeRoot.link(path, root.Path("/second.ko")));
        Refused(File1, Reason.HardLinkedFile);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_file_that_others_may_write_is_refused(UnixFileMode extra)
    {
        var path = root.Write(File1, new ModuleImage().Build());
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | extra);
        Refused(File1, Reason.UnsafePermissions);
    }

    [Theory]
    [InlineData(Watched, false)]
    [InlineData("/var/lib/livepatchd/patches", false)]
    [InlineData("/var/lib", true)]
    [InlineData("/", true)]
    public void A_directory_that_others_may_write_is_refused(string directory, bool leadsThere)
    {
        root.Write(File1, new ModuleImage().Build());
        var path = root.Path(directory);
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.OtherWrite);
        Refused(File1, Reason.UnsafePermissions);
        // Nobody can exchange a directory of root's in one that is sticky; anybody can put files into it.
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.StickyBit);
        Assert.Equal(leadsThere, new PatchStore(root.Root).Intake(root.Root, File1).Stored is not null);
    }

    [Fact]
    public void Foreign_owners_are_refused()
    {
        if (!Environment.IsPrivilegedProcess)
            Assert.Skip("only root can give files away");
        var path = root.Write(File1, new ModuleImage().Build());
        Assert.Equal(0, FakeRoot.chown(path, 65534, 65534));
        Refused(File1, Reason.UnsafeOwner);
        Assert.Equal(0, FakeRoot.chown(path, 0, 0));
        Assert.Equal(0, FakeRoot.chown(root.Path("/var/lib/livepatchd"), 65534, 65534));
        Refused(File1, Reason.UnsafeOwner);
    }

    [Fact]
    public void A_directory_that_leads_out_of_the_root_is_refused()
    {
        using var other = new FakeRoot();
        other.Write("/lp_one.ko", new ModuleImage().Build());
        root.MakeDirectory("/var/lib");
        Directory.CreateSymbolicLink(root.Path("/var/lib/away"), other.Directory);
        Assert.NotNull(new PatchStore(root.Root).Intake(root.Root, "/var/lib/away/lp_one.ko").Refused);
    }

    [Fact]
    public void Sizes_out_of_bounds_are_refused()
    {
        root.Write(File1, "");
        Refused(File1, Reason.FileTooLarge);
        using (var sparse = File.OpenWrite(root.Path(File1)))
            sparse.SetLength(PatchStore.MaxFileSize + 1L);
        Refused(File1, Reason.FileTooLarge);
        using (var sparse = File.OpenWrite(root.Path(File1)))
            sparse.SetLength(1L << 40);
        Refused(File1, Reason.FileTooLarge);
    }

    [Fact]
    public void A_file_that_grows_is_never_stored_torn()
    {
        var image = ModuleImage.Named("lp_one", filler: new string('x', 200_000)).Build();
        var path = root.Write(File1, image);
        // On a busy machine the writer may run between two reads only: it goes on until a read has met it.
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var writer = Task.Run(() =>
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            while (!stop.IsCancellationRequested)
            {
                file.Seek(0, SeekOrigin.End);
                if (file.Length > PatchStore.MaxFileSize / 8)
                    file.SetLength(image.Length);
                file.Write(new byte[4096]);
                file.Flush();
            }
        }, TestContext.Current.CancellationToken);
        var store = new PatchStore(root.Root);
        var outcomes = new HashSet<Reason?>();
        while (!writer.IsCompleted)
        {
            var result = store.Intake(root.Root, File1);
            outcomes.Add(result.Refused?.Reason);
            if (result.Stored is { } stored)
                Assert.Equal(stored.Digest.Hex, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(root.Path(stored.StorePath)))));
            if (outcomes.Contains(Reason.FileChanging))
                stop.Cancel();
        }
        Assert.True(writer.IsCompletedSuccessfully);
        Assert.Contains(Reason.FileChanging, outcomes);
        Assert.True(outcomes.All(o => o is null or Reason.FileChanging), string.Join(", ", outcomes));
    }

    [Theory]
    [InlineData("lp one.ko")]
    [InlineData("lp.one.ko")]
    [InlineData("lp\u001b[2J.ko")]
    [InlineData("größe.ko")]
    [InlineData("module.txt")]
    [InlineData(".ko")]
    public void Bad_names_are_refused_in_printable_words(string name)
    {
        root.Write($"{Watched}/{name}", new ModuleImage().Build());
        var refused = Refused($"{Watched}/{name}", Reason.BadFileName);
        Assert.DoesNotContain(refused.Path, char.IsControl);
        Assert.DoesNotContain(refused.Detail, char.IsControl);
    }

    [Fact]
    public void A_store_that_cannot_be_written_is_told_apart_from_a_bad_file()
    {
        root.Write(File1, new ModuleImage().Build());
        root.Write(StoreDirectory, "a file where the directory should be");
        Refused(File1, Reason.StoreUnavailable);
    }

    [Fact]
    public void A_store_that_was_opened_up_is_closed_again()
    {
        root.Write(File1, new ModuleImage().Build());
        File.SetUnixFileMode(root.MakeDirectory(StoreDirectory), (UnixFileMode)0x1FF);
        Assert.NotNull(new PatchStore(root.Root).Intake(root.Root, File1).Stored);
        Assert.Equal((UnixFileMode)0x1C0, File.GetUnixFileMode(root.Path(StoreDirectory)));
    }

    [Fact]
    public void Collecting_removes_what_nobody_wants_and_nothing_else()
    {
        root.Write(File1, ModuleImage.Named("lp_one").Build());
        root.Write(Watched + "/lp_two.ko.gz", Compressed.Gzip(ModuleImage.Named("lp_two").Build()));
        var store = new PatchStore(root.Root);
        var one = store.Intake(root.Root, File1).Stored!;
        var two = store.Intake(root.Root, Watched + "/lp_two.ko.gz").Stored!;
        root.Write(StoreDirectory + "/.tmp-left", "torn");
        root.Write(StoreDirectory + "/README", "somebody's");

        Assert.Equal(2, store.Collect(new HashSet<Sha256> { one.Digest }));

        Assert.True(File.Exists(root.Path(one.StorePath)));
        Assert.False(File.Exists(root.Path(two.StorePath)));
        Assert.True(File.Exists(root.Path(StoreDirectory + "/README")));
        Assert.False(File.Exists(root.Path(StoreDirectory + "/.tmp-left")));
        Assert.False(store.OpenStored(two).IsOk);
    }

    [Fact]
    public void Collecting_from_a_store_that_does_not_exist_is_nothing() =>
        Assert.Equal(0, new PatchStore(root.Root).Collect(new HashSet<Sha256>()));

    private StoredPatch Taken(string path)
    {
        var result = new PatchStore(root.Root).Intake(root.Root, path);
        Assert.True(result.Stored is not null, result.Refused?.ToString());
        Assert.Null(result.Refused);
        return result.Stored;
    }

    private RefusedFile Refused(string path, Reason reason)
    {
        var result = new PatchStore(root.Root).Intake(root.Root, path);
        Assert.Null(result.Stored);
        Assert.Equal(reason, result.Refused!.Reason);
        Assert.Equal(path.Any(char.IsControl) ? null : path, path.Any(char.IsControl) ? null : result.Refused.Path);
        Assert.NotEmpty(result.Refused.Detail);
        Assert.False(Directory.Exists(root.Path(StoreDirectory)) && Directory.GetFiles(root.Path(StoreDirectory), ".tmp-*").Length > 0);
        return result.Refused;
    }
}
