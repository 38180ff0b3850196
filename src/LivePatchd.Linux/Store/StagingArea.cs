// Puts a patch handed over as a descriptor into a watched directory, whole or not at all, and takes files out again.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
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
    private const uint DirectoryMode = 0x1ED; // 0755
    private const uint HiddenMode = 0x1C0; // 0700

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
        var directory = PathOf(target, kernelRelease);
        // A directory of its own, for the copy must already bear its final name to be judged.
        var staging = $"{directory}/{Leftovers.StagingPrefix}{Guid.NewGuid():N}";
        var hidden = $"{staging}/{fileName}";
        try
        {
            var made = MakeDirectories(directory, staging);
            if (!made.IsOk)
                return new(null, null, made);
            Failpoint.At("stage.directory-made");
            var copied = Copy(source, root.Path(hidden), durable: true);
            if (copied.Errno is Errno.EFBIG)
                return new(null, new RefusedFile(fileName, null, Reason.FileTooLarge, $"more than {MaxSize >> 20} MiB"), default);
            if (!copied.IsOk)
                return new(null, null, copied);
            foreach (var one in beside)
            {
                var put = Copy(one.File, root.Path($"{staging}/{one.FileName}"), durable: true, SidecarReader.MaxSize);
                if (put.Errno is Errno.EFBIG)
                    return new(null, new RefusedFile(one.FileName, null, Reason.FileTooLarge, $"more than {SidecarReader.MaxSize >> 10} KiB"), default);
                if (!put.IsOk)
                    return new(null, null, put);
            }
            Failpoint.At("stage.copied");
            var taken = store.Intake(hidden);
            if (taken.Refused is { } refused)
                return new(null, refused with { Path = fileName }, default);
            var name = taken.Stored!.Module.Name;
            if (DirectoryScanner.Admit(taken.Stored, kernelRelease) is { } unfit)
                return new(null, new RefusedFile(fileName, name, unfit.Reason, unfit.Detail), default);
            Failpoint.At("stage.judged");
            // The module last: no build is there without the manifest that came with it. Scans and stages take turns on one thread.
            foreach (var one in beside.OrderByDescending(static b => b.FileName, StringComparer.Ordinal))
            {
                if (LibC.rename(root.Path($"{staging}/{one.FileName}"), root.Path($"{directory}/{one.FileName}")) != 0)
                    return new(null, null, Sys.Fail("rename"));
            }
            if (LibC.rename(root.Path(hidden), root.Path($"{directory}/{fileName}")) != 0)
                return new(null, null, Sys.Fail("rename"));
            Failpoint.At("stage.renamed");
            // Who is told that it is there must find it after a power cut.
            var synced = TempFile.SyncDirectory(root.Path(directory));
            return synced.IsOk ? new(name, null, default) : new(null, null, synced);
        }
        finally
        {
            _ = LibC.unlink(root.Path(hidden));
            foreach (var one in beside.Where(b => IsBeside(b.FileName, fileName)))
                _ = LibC.unlink(root.Path($"{staging}/{one.FileName}"));
            _ = LibC.rmdir(root.Path(staging));
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
            if (!directories.Any(d => !d.ReadOnly && path.StartsWith(d.Path.TrimEnd('/') + "/", StringComparison.Ordinal)))
                continue;
            Failpoint.At("unstage.before");
            if (LibC.unlink(root.Path(path)) < 0)
                return Sys.Fail("unlink");
            Failpoint.At("unstage.removed");
            RemoveBeside(path);
            var synced = TempFile.SyncDirectory(root.Path(Path.GetDirectoryName(path)!));
            if (!synced.IsOk)
                return synced;
            removed++;
        }
        return removed > 0 ? SysResult.Success : SysResult.Fail(paths.Count > 0 ? Errno.EROFS : Errno.ENOENT, "unlink");
    }

    /// <summary>The manifest would speak for whatever comes under the name next. Another file of the stem keeps it: it is that one's too.</summary>
    private void RemoveBeside(string path)
    {
        if (StemOf(Path.GetFileName(path)) is not { } stem)
            return;
        var directory = Path.GetDirectoryName(path)!;
        if (Suffixes.Any(s => Sys.Stat(root.Path($"{directory}/{stem}{s}"), follow: false).IsOk))
            return;
        foreach (var name in new[] { Manifest(stem) + SidecarReader.SignatureSuffix, Manifest(stem) })
            _ = LibC.unlink(root.Path($"{directory}/{name}"));
    }

    private static bool IsBeside(string name, string fileName) =>
        StemOf(fileName) is { } stem && (name == Manifest(stem) || name == Manifest(stem) + SidecarReader.SignatureSuffix);

    private static string Manifest(string stem) => stem + ".yaml";

    private static string? StemOf(string fileName) => Decompressor.FromName(fileName, out var stem) is null ? null : fileName[..stem];

    private SysResult MakeDirectories(string directory, string staging)
    {
        for (var slash = directory.IndexOf('/', 1); slash > 0; slash = directory.IndexOf('/', slash + 1))
        {
            var parent = Sys.MakeDirectory(root.Path(directory[..slash]), DirectoryMode);
            if (!parent.IsOk)
                return parent;
        }
        var made = Sys.MakeDirectory(root.Path(directory), DirectoryMode);
        return made.IsOk ? Sys.MakeDirectory(root.Path(staging), HiddenMode) : made;
    }

    /// <summary>EFBIG when the source has more bytes than a patch may have.</summary>
    internal static SysResult Copy(SafeFileHandle source, string to, bool durable, long maxSize = MaxSize)
    {
        var opened = Sys.Open(to, LibC.WriteOnly | LibC.Create | LibC.Exclusive | LibC.NoFollow, FileMode);
        if (!opened.IsOk)
            return opened.WithoutValue;
        using var target = opened.Value;
        var copied = Copy(source, target, maxSize);
        return !copied.IsOk || !durable || LibC.fsync(target) == 0 ? copied : Sys.Fail("fsync");
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
