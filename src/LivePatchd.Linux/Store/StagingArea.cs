// Puts a patch handed over as a descriptor into a watched directory, whole or not at all, and takes files out again.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>Exactly one of Name, Refused and a failed Error is set.</summary>
public sealed record StageResult(PatchName? Name, RefusedFile? Refused, SysResult Error);

public sealed class StagingArea(SystemRoot root, PatchStore store)
{
    internal const long MaxSize = 64L << 20;
    private const int BufferSize = 128 * 1024;

    /// <summary>Directory of one kernel release, without the root's prefix.</summary>
    public static string PathOf(WatchedDirectory directory, string kernelRelease) => $"{directory.Path.TrimEnd('/')}/{kernelRelease}";

    /// <summary>
    /// Copies the descriptor's bytes to a hidden place in the first writable directory, verifies that copy, then renames it.
    /// </summary>
    /// <param name="fileName">NAME.ko[.xz|.zst|.gz], no directory part.</param>
    public StageResult Stage(SafeFileHandle file, string fileName, ImmutableArray<WatchedDirectory> directories, string kernelRelease)
    {
        using var source = file;
        if (!IsPlainName(fileName))
            return new(null, new RefusedFile(Printable(fileName), null, Reason.BadFileName, "not NAME.ko[.xz|.zst|.gz] of plain characters"), default);
        if (directories.FirstOrDefault(d => !d.ReadOnly) is not { } target)
            return new(null, null, SysResult.Fail(Errno.EROFS, "stage: every watched directory is read-only"));
        var directory = PathOf(target, kernelRelease);
        // A directory of its own, for the copy must already bear its final name to be judged.
        var staging = $"{directory}/.staging-{Guid.NewGuid():N}";
        var hidden = $"{staging}/{fileName}";
        try
        {
            Directory.CreateDirectory(root.Path(directory), (UnixFileMode)0b111_101_101);
            Directory.CreateDirectory(root.Path(staging), (UnixFileMode)0b111_000_000);
            if (!Copy(source, root.Path(hidden), durable: true))
                return new(null, new RefusedFile(fileName, null, Reason.FileTooLarge, $"more than {MaxSize >> 20} MiB"), default);
            var taken = store.Intake(hidden);
            if (taken.Refused is { } refused)
                return new(null, refused with { Path = fileName }, default);
            var name = taken.Stored!.Module.Name;
            if (DirectoryScanner.Admit(taken.Stored, kernelRelease) is { } unfit)
                return new(null, new RefusedFile(fileName, name, unfit.Reason, unfit.Detail), default);
            if (LibC.rename(root.Path(hidden), root.Path($"{directory}/{fileName}")) < 0)
                return new(null, null, Sys.Fail("rename"));
            var synced = TempFile.SyncDirectory(root.Path(directory));
            return synced.IsOk ? new(name, null, default) : new(null, null, synced);
        }
        catch (IOException e)
        {
            return new(null, null, SysResult.Fail((Errno)(e.HResult & 0xffff), "stage"));
        }
        catch (UnauthorizedAccessException)
        {
            return new(null, null, SysResult.Fail(Errno.EACCES, "stage"));
        }
        finally
        {
            _ = LibC.unlink(root.Path(hidden));
            _ = LibC.rmdir(root.Path(staging));
        }
    }

    /// <summary>Takes the files out of the writable directories; ENOENT when none of them is in one.</summary>
    public SysResult Unstage(IReadOnlyList<string> paths, ImmutableArray<WatchedDirectory> directories)
    {
        var removed = 0;
        foreach (var path in paths)
        {
            if (!directories.Any(d => !d.ReadOnly && path.StartsWith(d.Path.TrimEnd('/') + "/", StringComparison.Ordinal)))
                continue;
            if (LibC.unlink(root.Path(path)) < 0)
                return Sys.Fail("unlink");
            removed++;
        }
        return removed > 0 ? SysResult.Success : SysResult.Fail(Errno.ENOENT, "unlink");
    }

    /// <summary>False when the source has more bytes than a patch may have.</summary>
    internal static bool Copy(SafeFileHandle source, string to, bool durable)
    {
        using var target = new FileStream(to, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = (UnixFileMode)0b110_100_100,
        });
        using var input = new FileStream(source, FileAccess.Read, bufferSize: 0);
        var buffer = new byte[BufferSize];
        long total = 0;
        for (int read; (read = input.Read(buffer)) > 0;)
        {
            if ((total += read) > MaxSize)
                return false;
            target.Write(buffer.AsSpan(0, read));
        }
        target.Flush(flushToDisk: durable);
        return true;
    }

    internal static bool IsPlainName(string name) =>
        name.Length is > 3 and <= 128 && name[0] != '.'
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '+')
        && (name.EndsWith(".ko", StringComparison.Ordinal) || name.EndsWith(".ko.xz", StringComparison.Ordinal)
            || name.EndsWith(".ko.zst", StringComparison.Ordinal) || name.EndsWith(".ko.gz", StringComparison.Ordinal));

    private static string Printable(string text) => new([.. text.Select(c => char.IsControl(c) ? '?' : c).Take(128)]);
}
