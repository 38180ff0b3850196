// Judges a patch handed over as a descriptor just as if it lay in the watched directory: by a scan of a private one that holds it alone.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>Exactly one of Patch, Refused and a failed Error is set.</summary>
/// <param name="Patch">With the path that it would have.</param>
public sealed record ProbeResult(WantedPatch? Patch, RefusedFile? Refused, SysResult Error);

/// <summary>Not thread-safe, like the store that it uses; what it adds to the store goes with the next collection.</summary>
/// <param name="scanner">Its own, for it remembers what it saw.</param>
public sealed class FileProbe(SystemRoot root, PatchStore store, DirectoryScanner scanner)
{
    // One at a time, and what a crash left there is removed.
    private const string Place = "/var/lib/livepatchd/store/.plan";

    private const int MaxSidecar = 1 << 20;

    private static readonly string[] Sidecars = [".yaml", ".yaml.p7s"];

    /// <param name="fileName">NAME.ko[.xz|.zst|.gz], no directory part.</param>
    /// <param name="target">Directory of this kernel that a staged file would come to lie in: its sidecars are there.</param>
    public ProbeResult Judge(SafeFileHandle file, string fileName, string target, string kernelRelease, TrustSettings trust)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        using var source = file;
        if (!StagingArea.IsPlainName(fileName))
            return Refuse(fileName, Reason.BadFileName, "not NAME.ko[.xz|.zst|.gz] of plain characters");
        if (Sys.Stat(source) is not { IsOk: true, Value.IsRegular: true })
            return Refuse(fileName, Reason.NotARegularFile, "the descriptor is not one of a regular file");
        var directory = $"{Place}/{kernelRelease}";
        try
        {
            Clear();
            var made = PrivateDirectory.Ensure(root, Place, store.Trust.Owner);
            if (!made.IsOk)
                return new(null, null, made);
            Directory.CreateDirectory(root.Path(directory), (UnixFileMode)0b111_000_000);
            var copied = StagingArea.Copy(source, root.Path($"{directory}/{fileName}"));
            if (copied.Errno is Errno.EFBIG)
                return Refuse(fileName, Reason.FileTooLarge, $"more than {StagingArea.MaxSize >> 20} MiB");
            if (!copied.IsOk)
                return new(null, null, copied);
            if (CopySidecars(fileName[..fileName.IndexOf(".ko", StringComparison.Ordinal)], target, directory) is { } wrong)
                return Refuse(fileName, wrong.Reason, wrong.Detail);
            var desired = scanner.Scan([new WatchedDirectory(Place, ReadOnly: true)], kernelRelease, trust).Desired;
            return desired.Wanted is [var wanted] ? new(wanted with { Path = $"{target}/{fileName}" }, null, default)
                : desired.Refused.FirstOrDefault(r => r.Path.StartsWith(directory, StringComparison.Ordinal)) is { } refused ? new(null, refused with { Path = fileName }, default)
                : new(null, null, SysResult.Fail(Errno.EIO, "plan"));
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
            try
            {
                Clear();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Tried again by the next one.
            }
        }
    }

    // Staging changes the module alone, so what lies beside it stays in force.
    private Refusal? CopySidecars(string stem, string target, string directory)
    {
        var opened = Sys.Open(root.Path(target), LibC.PathOnly | LibC.Directory);
        if (!opened.IsOk)
            return null;
        using var place = opened.Value;
        foreach (var name in Sidecars.Select(s => stem + s))
        {
            if (Sys.Stat(place, name).Errno is Errno.ENOENT)
                continue;
            // As a scan opens it: without waiting for the other end of a FIFO, or for who is behind a link.
            var sidecar = Sys.OpenBeneath(place, name, LibC.ReadOnly | LibC.NonBlock, crossMounts: false);
            if (!sidecar.IsOk)
                return new Refusal(sidecar.Errno is Errno.ELOOP or Errno.ENXIO or Errno.EXDEV ? Reason.NotARegularFile : Reason.UnreadableFile, $"{name}: {sidecar.Errno}");
            using var file = sidecar.Value;
            if (Sys.Stat(file) is not { IsOk: true, Value: { IsRegular: true, Size: <= MaxSidecar } })
                return new Refusal(Reason.NotARegularFile, $"{name}: not a regular file of at most {MaxSidecar} bytes");
            var copied = StagingArea.Copy(file, root.Path($"{directory}/{name}"));
            if (!copied.IsOk)
                return Refusal.Of(Reason.UnreadableFile, copied);
        }
        return null;
    }

    private void Clear()
    {
        if (Directory.Exists(root.Path(Place)))
            Directory.Delete(root.Path(Place), recursive: true);
    }

    private static ProbeResult Refuse(string fileName, Reason reason, string detail) =>
        new(null, new RefusedFile(Printable.Line(fileName, 128), null, reason, detail), default);
}
