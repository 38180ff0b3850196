// Puts a patch handed over as a descriptor into a watched directory, whole or not at all, and takes files out again.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Trust;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>Exactly one of Name, Refused and a failed Error is set.</summary>
public sealed record StageResult(PatchName? Name, RefusedFile? Refused, SysResult Error);

/// <summary>A descriptor with the name that its bytes are to have.</summary>
public sealed record StagedFile(SafeFileHandle File, string FileName);

public sealed class StagingArea(SystemRoot root, PatchStore store)
{
    internal const long MaxSize = 64L << 20;
    private const int BufferSize = 128 * 1024;

    private static readonly string[] Suffixes = [".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

    private const uint FileMode = 0x1A4; // 0644

    /// <summary>Directory of one kernel release, without the root's prefix.</summary>
    public static string PathOf(WatchedDirectory directory, string kernelRelease) => $"{directory.Path.TrimEnd('/')}/{kernelRelease}";

    /// <summary>
    /// Copies the descriptor's bytes to a hidden place in the first writable directory, verifies that copy, then renames it.
    /// </summary>
    /// <param name="fileName">NAME.ko[.xz|.zst|.gz], no directory part.</param>
    public StageResult Stage(SafeFileHandle file, string fileName, ImmutableArray<WatchedDirectory> directories, string kernelRelease) =>
        Stage(file, fileName, [], directories, kernelRelease);

    /// <param name="beside">The manifest and its signature, which come to lie beside the module before it does.</param>
    public StageResult Stage(
        SafeFileHandle file, string fileName, ImmutableArray<StagedFile> beside, ImmutableArray<WatchedDirectory> directories, string kernelRelease)
    {
        try
        {
            return StageAll(file, fileName, beside, directories, kernelRelease);
        }
        finally
        {
            foreach (var one in beside)
                one.File.Dispose();
        }
    }

    private StageResult StageAll(
        SafeFileHandle file, string fileName, ImmutableArray<StagedFile> beside, ImmutableArray<WatchedDirectory> directories, string kernelRelease)
    {
        using var source = file;
        if (!IsPlainName(fileName))
            return new(null, new RefusedFile(Printable(fileName), null, Reason.BadFileName, "not NAME.ko[.xz|.zst|.gz] of plain characters"), default);
        // A FIFO, a socket or a terminal would be waited for.
        if (Sys.Stat(source) is not { IsOk: true, Value.IsRegular: true })
            return new(null, new RefusedFile(fileName, null, Reason.NotARegularFile, "the descriptor is not one of a regular file"), default);
        if (beside.FirstOrDefault(b => !IsBeside(b.FileName, fileName)) is { } stray)
            return new(null, new RefusedFile(Printable(stray.FileName), null, Reason.BadFileName, $"neither the manifest of {fileName} nor its signature"), default);
        if (beside.Any(static b => Sys.Stat(b.File) is not { IsOk: true, Value.IsRegular: true }))
            return new(null, new RefusedFile(fileName, null, Reason.NotARegularFile, "a descriptor beside it is not one of a regular file"), default);
        if (directories.FirstOrDefault(d => !d.ReadOnly) is not { } target)
            return new(null, null, SysResult.Fail(Errno.EROFS, "stage: every watched directory is read-only"));
        var watched = target.Path.TrimEnd('/');
        var opened = StagingPlace.Open(root, store.Trust, watched, kernelRelease);
        if (opened.Place is not { } place)
            return new(null, opened.Refused is { } unsafeDirectory ? new RefusedFile(fileName, null, unsafeDirectory.Reason, unsafeDirectory.Detail) : null, opened.Error);
        using (place)
        {
            Failpoint.At("stage.directory-made");
            var copied = CopyInto(place, source, fileName, MaxSize);
            if (copied.Errno is Errno.EFBIG)
                return new(null, new RefusedFile(fileName, null, Reason.FileTooLarge, $"more than {MaxSize >> 20} MiB"), default);
            if (!copied.IsOk)
                return new(null, null, copied);
            foreach (var one in beside)
            {
                var put = CopyInto(place, one.File, one.FileName, SidecarReader.MaxSize);
                if (put.Errno is Errno.EFBIG)
                    return new(null, new RefusedFile(one.FileName, null, Reason.FileTooLarge, $"more than {SidecarReader.MaxSize >> 10} KiB"), default);
                if (!put.IsOk)
                    return new(null, null, put);
            }
            Failpoint.At("stage.copied");
            var taken = store.IntakeFrom(place.Hidden, fileName, $"{PathOf(target, kernelRelease)}/{fileName}", TrustAnchors.Without("nothing was read"), out _);
            if (taken.Refused is { } refused)
                return new(null, refused with { Path = fileName }, default);
            var name = taken.Stored!.Module.Name;
            if (DirectoryScanner.Admit(taken.Stored, kernelRelease) is { } unfit)
                return new(null, new RefusedFile(fileName, name, unfit.Reason, unfit.Detail), default);
            Failpoint.At("stage.judged");
            // The module last: no build is there without the manifest that came with it. Scans and stages take turns on one thread.
            foreach (var one in beside.Select(static b => b.FileName).OrderDescending(StringComparer.Ordinal).Append(fileName))
            {
                var shown = place.Show(one);
                if (!shown.IsOk)
                    return new(null, null, shown);
            }
            Failpoint.At("stage.renamed");
            // Who is told that it is there must find it after a power cut.
            var synced = place.Sync();
            return synced.IsOk ? new(name, null, default) : new(null, null, synced);
        }
    }

    /// <summary>A copy of what another program handed over. May take as long as its file system likes: not for a thread that others wait for.</summary>
    public ForeignFile TakeIn(SafeFileHandle foreign) => ForeignFile.Copy(root, store.Trust.Owner, foreign);

    /// <summary>Takes the files out of the writable directories; EROFS when none of them is in one, ENOENT when there are none.</summary>
    public SysResult Unstage(IReadOnlyList<string> paths, ImmutableArray<WatchedDirectory> directories)
    {
        var removed = 0;
        foreach (var path in paths)
        {
            var (watched, release, name) = Parts(path);
            if (!directories.Any(d => !d.ReadOnly && d.Path.TrimEnd('/') == watched))
                continue;
            Failpoint.At("unstage.before");
            var opened = StagingPlace.OpenRelease(root, watched, release);
            if (!opened.IsOk)
                return opened.WithoutValue;
            using var directory = opened.Value;
            if (LibC.unlinkat(directory, name, 0) < 0)
                return Sys.Fail("unlinkat");
            Failpoint.At("unstage.removed");
            RemoveBeside(directory, name);
            var synced = TempFile.SyncDirectory(directory);
            if (!synced.IsOk)
                return synced;
            removed++;
        }
        return removed > 0 ? SysResult.Success : SysResult.Fail(paths.Count > 0 ? Errno.EROFS : Errno.ENOENT, "unlink");
    }

    /// <summary>Of DIRECTORY/RELEASE/NAME.</summary>
    private static (string Watched, string Release, string Name) Parts(string path)
    {
        var inner = Path.GetDirectoryName(path) ?? "/";
        return (Path.GetDirectoryName(inner) ?? "/", Path.GetFileName(inner), Path.GetFileName(path));
    }

    /// <summary>The manifest would speak for whatever comes under the name next. Another file of the stem keeps it: it is that one's too.</summary>
    private static void RemoveBeside(SafeFileHandle directory, string name)
    {
        if (StemOf(name) is not { } stem || Suffixes.Any(s => Sys.Stat(directory, stem + s).IsOk))
            return;
        foreach (var beside in new[] { Manifest(stem) + SidecarReader.SignatureSuffix, Manifest(stem) })
            _ = LibC.unlinkat(directory, beside, 0);
    }

    private static bool IsBeside(string name, string fileName) =>
        StemOf(fileName) is { } stem && (name == Manifest(stem) || name == Manifest(stem) + SidecarReader.SignatureSuffix);

    private static string Manifest(string stem) => stem + ".yaml";

    private static string? StemOf(string fileName) => Decompressor.FromName(fileName, out var stem) is null ? null : fileName[..stem];

    /// <summary>EFBIG when the source has more bytes than it may have.</summary>
    private static SysResult CopyInto(StagingPlace place, SafeFileHandle source, string name, long maxSize)
    {
        var opened = place.Create(name);
        if (!opened.IsOk)
            return opened.WithoutValue;
        using var target = opened.Value;
        var copied = Copy(source, target, maxSize);
        return !copied.IsOk || LibC.fsync(target) == 0 ? copied : Sys.Fail("fsync");
    }

    /// <summary>EFBIG when the source has more bytes than a patch may have.</summary>
    internal static SysResult Copy(SafeFileHandle source, string to)
    {
        var opened = Sys.Open(to, LibC.WriteOnly | LibC.Create | LibC.Exclusive | LibC.NoFollow, FileMode);
        if (!opened.IsOk)
            return opened.WithoutValue;
        using var target = opened.Value;
        return Copy(source, target);
    }

    /// <summary>From where the source stands. EFBIG when it has more bytes than a patch may have.</summary>
    internal static SysResult Copy(SafeFileHandle source, SafeFileHandle target, long maxSize = MaxSize)
    {
        var buffer = new byte[BufferSize];
        long total = 0;
        while (true)
        {
            var read = Sys.ReadOnce(source, buffer);
            if (!read.IsOk)
                return read.WithoutValue;
            if (read.Value == 0)
                return SysResult.Success;
            if ((total += read.Value) > maxSize)
                return SysResult.Fail(Errno.EFBIG, "stage");
            var written = Sys.Write(target, buffer.AsSpan(0, read.Value));
            if (!written.IsOk)
                return written;
        }
    }

    internal static bool IsPlainName(string name) =>
        name.Length is > 3 and <= 128 && name[0] != '.'
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '+')
        && (name.EndsWith(".ko", StringComparison.Ordinal) || name.EndsWith(".ko.xz", StringComparison.Ordinal)
            || name.EndsWith(".ko.zst", StringComparison.Ordinal) || name.EndsWith(".ko.gz", StringComparison.Ordinal));

    private static string Printable(string text) => new([.. text.Select(c => char.IsControl(c) ? '?' : c).Take(128)]);
}
