// Judges a patch handed over as a descriptor just as if it had been put into the directory, and leaves nothing behind in there.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>Exactly one of Patch, Refused and a failed Error is set.</summary>
public sealed record ProbeResult(PatchModule? Patch, RefusedFile? Refused, SysResult Error);

/// <summary>Not thread-safe, like the store that it uses; what it adds to the store goes with the next collection.</summary>
public sealed class FileProbe(SystemRoot root, PatchStore store)
{
    // One at a time, and what a crash left there is overwritten.
    private const string Place = "/var/lib/livepatchd/store/.plan";

    /// <param name="fileName">NAME.ko[.xz|.zst|.gz], no directory part.</param>
    public ProbeResult Judge(SafeFileHandle file, string fileName, string kernelRelease)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        using var source = file;
        if (!StagingArea.IsPlainName(fileName))
            return Refuse(fileName, Reason.BadFileName, "not NAME.ko[.xz|.zst|.gz] of plain characters");
        if (Sys.Stat(source) is not { IsOk: true, Value.IsRegular: true })
            return Refuse(fileName, Reason.NotARegularFile, "the descriptor is not one of a regular file");
        var made = PrivateDirectory.Ensure(root, Place, store.Trust.Owner);
        if (!made.IsOk)
            return new(null, null, made);
        var copy = $"{Place}/{fileName}";
        try
        {
            _ = LibC.unlink(root.Path(copy));
            if (!StagingArea.Copy(source, root.Path(copy), durable: false))
                return Refuse(fileName, Reason.FileTooLarge, $"more than {StagingArea.MaxSize >> 20} MiB");
            var taken = store.Intake(copy);
            if (taken.Stored is not { } stored)
                return new(null, taken.Refused! with { Path = fileName }, default);
            return DirectoryScanner.Admit(stored, kernelRelease) is { } unfit
                ? new(null, new RefusedFile(fileName, stored.Module.Name, unfit.Reason, unfit.Detail), default)
                : new(stored.Module, null, default);
        }
        catch (IOException e)
        {
            return new(null, null, SysResult.Fail((Errno)(e.HResult & 0xffff), "plan"));
        }
        catch (UnauthorizedAccessException)
        {
            return new(null, null, SysResult.Fail(Errno.EACCES, "plan"));
        }
        finally
        {
            _ = LibC.unlink(root.Path(copy));
            _ = LibC.rmdir(root.Path(Place));
        }
    }

    private static ProbeResult Refuse(string fileName, Reason reason, string detail) =>
        new(null, new RefusedFile(Core.Parsing.Printable.Line(fileName, 128), null, reason, detail), default);
}
