// What the watched directories ask for, and that unchanged files are not read again.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Tests.Store;

public sealed class DirectoryScannerTests : IDisposable
{
    private const string Watched = "/var/lib/livepatchd/patches";
    private const string Release = ModuleImage.Release;
    private const string Here = Watched + "/" + Release;

    private readonly FakeRoot root = new();
    private readonly DirectoryScanner scanner;
    private int parsed;

    public DirectoryScannerTests() => scanner = new DirectoryScanner(root.Root, new PatchStore(root.Root), Parse);

    public void Dispose() => root.Dispose();

    [Fact]
    public void Files_of_this_kernel_are_wanted_in_name_order()
    {
        Put("lp_two.ko", ModuleImage.Named("lp_two").Build());
        Put("lp_one.ko.gz", Compressed.Gzip(ModuleImage.Named("lp_one").Build()));
        root.Write($"{Watched}/6.99.0/lp_three.ko", ModuleImage.Named("lp_three").Build());
        root.Write($"{Watched}/lp_four.ko", ModuleImage.Named("lp_four").Build());

        var result = Scan();

        Assert.Equal(["lp_one", "lp_two"], result.Desired.Wanted.Select(w => w.Name.Value));
        Assert.Equal([Here + "/lp_one.ko.gz", Here + "/lp_two.ko"], result.Desired.Wanted.Select(w => w.Path));
        Assert.Empty(result.Desired.Refused);
        Assert.Empty(result.Desired.Unreadable);
        foreach (var wanted in result.Desired.Wanted)
            Assert.Equal(wanted.Module, result.Stored[wanted.Module.Digest].Module);
    }

    [Fact]
    public void Other_files_are_passed_over_silently()
    {
        foreach (var name in new[] { ".lp_one.ko", ".lp_one.ko.swp", "lp_one.ko.tmp", "README", "lp_one.yaml", "ko" })
            Put(name, [1]);
        root.MakeDirectory(Here + "/sub");
        var result = Scan();
        Assert.Empty(result.Desired.Wanted);
        Assert.Empty(result.Desired.Refused);
        Assert.Equal(0, parsed);
    }

    [Fact]
    public void One_bad_file_among_good_ones_is_refused_alone()
    {
        for (var i = 0; i < 9; i++)
            Put($"lp_{i}.ko", ModuleImage.Named($"lp_{i}").Build());
        Put("lp_bad.ko", ModuleImage.Named("lp_bad").Build()[..300]);
        Put("with space.ko", ModuleImage.Named("lp_bad").Build());

        var result = Scan();

        Assert.Equal(9, result.Desired.Wanted.Length);
        Assert.Equal([Reason.TruncatedFile, Reason.BadFileName], result.Desired.Refused.Select(r => r.Reason));
        Assert.Equal("lp_bad", result.Desired.Refused[0].Name?.Value);
        Assert.Null(result.Desired.Refused[1].Name);
    }

    [Fact]
    public void A_name_that_is_no_text_is_refused_in_printable_words()
    {
        Put("lp_one.ko", ModuleImage.Named("lp_one").Build());
        byte[] path = [.. Encoding.UTF8.GetBytes(root.Path(Here) + "/lp_"), 0xFF, 0x1B, (byte)'\n', .. ".ko\0"u8];
        Assert.Equal(0, FakeRoot.mkfifo(path, 0x180));
        var result = Scan();
        Assert.Single(result.Desired.Wanted);
        var refused = Assert.Single(result.Desired.Refused);
        Assert.Equal(Reason.BadFileName, refused.Reason);
        Assert.EndsWith("/lp_???.ko", refused.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_kernels_and_other_modules_have_their_own_reasons()
    {
        Put("lp_other.ko", ModuleImage.Named("lp_other", release: "6.1.0-other").Build());
        Put("plain.ko", new ModuleImage { StructName = "plain", ModInfo = [$"vermagic={Release} SMP "] }.Build());

        var refused = Scan().Desired.Refused;

        Assert.Equal([Reason.WrongKernel, Reason.NotALivepatch], refused.Select(r => r.Reason));
        Assert.Equal("lp_other", refused[0].Name?.Value);
        Assert.Contains("6.1.0-other", refused[0].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void No_directory_for_this_kernel_is_empty_and_no_directory_at_all_is_unknown()
    {
        root.MakeDirectory(Watched);
        var missing = Scan().Desired;
        Assert.Equal((0, 0, 0), (missing.Wanted.Length, missing.Refused.Length, missing.Unreadable.Length));
        var seat = Assert.Single(missing.Seats);
        Assert.Equal(Here, seat.Key);
        root.MakeDirectory(Here);
        Assert.Equal(seat.Value, Assert.Single(Scan().Desired.Seats).Value);
        Directory.Delete(root.Path(Here));

        var result = scanner.Scan([new WatchedDirectory("/nowhere", false)], Release);
        Assert.Equal(new UnreadableDirectory("/nowhere", Errno.ENOENT), Assert.Single(result.Desired.Unreadable));
    }

    [Fact]
    public void Something_else_in_place_of_the_directory_is_unreadable()
    {
        root.MakeDirectory(Watched);
        root.Write(Here, "a file");
        Assert.Equal(new UnreadableDirectory(Here, Errno.ENOTDIR), Assert.Single(Scan().Desired.Unreadable));
        File.Delete(root.Path(Here));
        root.MakeDirectory("/elsewhere");
        Directory.CreateSymbolicLink(root.Path(Here), root.Path("/elsewhere"));
        Assert.NotEmpty(Scan().Desired.Unreadable);
    }

    [Fact]
    public void Scan_DirectoryIsSwitched_SeatTellsAnotherFileSystemFromTheSame()
    {
        // A release that names a directory of /sys, which is another file system on every host.
        const string Kernel = "kernel";
        root.Write($"/one/{Kernel}/lp_one.ko", ModuleImage.Named("lp_one", release: Kernel).Build());
        root.MakeDirectory($"/two/{Kernel}");
        root.MakeDirectory(Path.GetDirectoryName(Watched)!);
        DesiredState At(string target)
        {
            File.Delete(root.Path(Watched));
            Directory.CreateSymbolicLink(root.Path(Watched), target);
            return scanner.Scan([new WatchedDirectory(Watched, false)], Kernel).Desired;
        }

        var one = At(root.Path("/one"));
        var seat = Assert.Single(one.Seats);
        Assert.Equal(Watched + "/" + Kernel, seat.Key);
        Assert.Matches("^[0-9]+:[0-9]+", seat.Value);
        Assert.Equal(seat.Value, Assert.Single(one.Wanted).FileSystem);
        Assert.Equal(seat, Assert.Single(At(root.Path("/two")).Seats));
        Assert.NotEqual(seat.Value, Assert.Single(At("/sys").Seats).Value);
    }

    [Fact]
    public void Too_many_entries_are_unknown_not_partly_wanted()
    {
        Put("lp_one.ko", ModuleImage.Named("lp_one").Build());
        // What is no patch counts towards no limit.
        for (var i = 0; i < DirectoryScanner.MaxEntries; i++)
            root.Write($"{Here}/x{i}", "");
        Assert.Single(Scan().Desired.Wanted);
        for (var i = 0; i < DirectoryScanner.MaxEntries; i++)
            root.Write($"{Here}/x{i}.ko", "");
        var result = Scan();
        Assert.Empty(result.Desired.Wanted);
        Assert.Equal(new UnreadableDirectory(Here, Errno.E2BIG), Assert.Single(result.Desired.Unreadable));
    }

    [Fact]
    public void Every_file_of_a_directory_that_others_may_write_is_refused()
    {
        Put("lp_one.ko", ModuleImage.Named("lp_one").Build());
        File.SetUnixFileMode(root.Path(Here), (UnixFileMode)0x1FF);
        var refused = Assert.Single(Scan().Desired.Refused);
        Assert.Equal(Reason.UnsafePermissions, refused.Reason);
        Assert.Equal("lp_one", refused.Name?.Value);
    }

    [Fact]
    public void Unchanged_files_are_not_read_again()
    {
        var path = Put("lp_one.ko", ModuleImage.Named("lp_one").Build());
        Put("lp_one.yaml", "ok"u8.ToArray());
        var first = Scan();
        var access = LastAccess(path);

        var second = Scan();

        Assert.Same(first.Stored.Values.Single(), second.Stored.Values.Single());
        Assert.Equal(1, parsed);
        Assert.Equal(access, LastAccess(path));
    }

    [Fact]
    public void A_changed_file_is_a_new_patch()
    {
        Put("lp_one.ko", ModuleImage.Named("lp_one", filler: "a").Build());
        var first = Scan().Desired.Wanted.Single();
        Put("lp_one.ko", ModuleImage.Named("lp_one", filler: "b").Build());
        var second = Scan().Desired.Wanted.Single();
        Assert.Equal(first.Name, second.Name);
        Assert.NotEqual(first.Module.Digest, second.Module.Digest);
    }

    [Fact]
    public void A_lost_store_copy_is_made_again()
    {
        Put("lp_one.ko", ModuleImage.Named("lp_one").Build());
        var stored = Scan().Stored.Values.Single();
        File.Delete(root.Path(stored.StorePath));
        Scan();
        Assert.True(File.Exists(root.Path(stored.StorePath)));
    }

    [Fact]
    public void A_file_put_right_is_accepted()
    {
        var path = Put("lp_one.ko", ModuleImage.Named("lp_one").Build());
        File.SetUnixFileMode(path, (UnixFileMode)0x1B6);
        Assert.Equal(Reason.UnsafePermissions, Scan().Desired.Refused.Single().Reason);
        File.SetUnixFileMode(path, (UnixFileMode)0x180);
        Assert.Single(Scan().Desired.Wanted);
    }

    [Fact]
    public void A_full_store_is_tried_again()
    {
        Put("lp_one.ko", ModuleImage.Named("lp_one").Build());
        var obstacle = root.Write("/var/lib/livepatchd/store", "in the way");
        Assert.Equal(Reason.StoreUnavailable, Scan().Desired.Refused.Single().Reason);
        File.Delete(obstacle);
        Assert.Single(Scan().Desired.Wanted);
    }

    [Fact]
    public void The_sidecar_comes_along()
    {
        Put("lp_one.ko.zst", Compressed.Zstd(ModuleImage.Named("lp_one").Build()));
        Put("lp_one.yaml", "ok"u8.ToArray());
        Assert.Equal("ok", Scan().Desired.Wanted.Single().Manifest?.Description);
        File.Delete(root.Path(Here + "/lp_one.yaml"));
        Assert.Null(Scan().Desired.Wanted.Single().Manifest);
    }

    [Theory]
    [InlineData("bad", Reason.InvalidManifest)]
    [InlineData("", Reason.FileTooLarge)]
    public void A_wrong_sidecar_refuses_its_patch_and_no_other(string yaml, Reason reason)
    {
        Put("lp_one.ko", ModuleImage.Named("lp_one").Build());
        Put("lp_one.yaml", Encoding.ASCII.GetBytes(yaml));
        Put("lp_two.ko", ModuleImage.Named("lp_two").Build());
        var result = Scan();
        Assert.Equal("lp_two", result.Desired.Wanted.Single().Name.Value);
        var refused = result.Desired.Refused.Single();
        Assert.Equal(reason, refused.Reason);
        Assert.Contains("lp_one.yaml", refused.Detail, StringComparison.Ordinal);
        Assert.Equal(Here + "/lp_one.ko", refused.Path);

        Put("lp_one.yaml", "ok"u8.ToArray());
        Assert.Equal(2, Scan().Desired.Wanted.Length);
    }

    [Fact]
    public void A_sidecar_that_others_may_write_refuses_its_patch()
    {
        Put("lp_one.ko", ModuleImage.Named("lp_one").Build());
        File.SetUnixFileMode(Put("lp_one.yaml", "ok"u8.ToArray()), (UnixFileMode)0x1B6);
        Assert.Equal(Reason.UnsafePermissions, Scan().Desired.Refused.Single().Reason);
    }

    private ScanResult Scan() => scanner.Scan([new WatchedDirectory(Watched, false)], Release);

    private string Put(string name, byte[] content)
    {
        // As people are told to: a temporary name, then rename.
        var temporary = root.Write($"{Here}/.new", content);
        File.Move(temporary, root.Path($"{Here}/{name}"), overwrite: true);
        return root.Path($"{Here}/{name}");
    }

    private (Manifest?, ImmutableArray<ConfigError>) Parse(string file, ReadOnlySpan<byte> yaml)
    {
        parsed++;
        return Encoding.ASCII.GetString(yaml) == "ok"
            ? (new Manifest(null, null, [], null, [], Severity.Medium, "ok", [], [], null, null, []), [])
            : (null, [new ConfigError(file, 1, "x", "unknown key")]);
    }

    private static DateTime LastAccess(string path) => File.GetLastAccessTimeUtc(path);
}
