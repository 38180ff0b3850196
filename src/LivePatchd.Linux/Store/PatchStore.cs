// Takes patch files in: each is judged, read once, inspected and copied into a directory that only root can reach. What was inspected is what is loaded.
using System.Buffers;
using System.Collections.Immutable;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Trust;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>
/// Copies are named by the digest of the file as dropped, `&lt;sha256&gt;.ko`, and are never compressed: a second decoder, the kernel's, could make
/// something else of the same bytes. One thread takes in; another may open what is stored.
/// </summary>
public sealed class PatchStore(SystemRoot root)
{
    public const int MaxFileSize = 64 << 20;

    private const string StoreDirectory = "/var/lib/livepatchd/store";
    private const int CompareChunk = 64 << 10;
    private const int MaxEntries = 10_000;

    private readonly DirectoryTrust trust = new(root);
    private Dictionary<Sha256, KnownCopy> copies = [];

    /// <summary>
    /// A handle for <see cref="IKernel.Load"/> whose bytes have just been found to be the ones that were verified; their pages are in memory.
    /// EIO when they are not: the copy is made anew by the next scan.
    /// </summary>
    public SysResult<SafeFileHandle> OpenStored(StoredPatch patch)
    {
        ArgumentNullException.ThrowIfNull(patch);
        var opened = Sys.Open(root.Path(patch.StorePath), LibC.ReadOnly | LibC.NoFollow | LibC.NonBlock);
        if (!opened.IsOk)
            return opened;
        _ = LibC.posix_fadvise(opened.Value, 0, 0, LibC.AdviseWillNeed);
        var digest = FileDigest.Of(opened.Value, MaxFileSize);
        if (digest.IsOk && digest.Value == patch.Image)
            return opened;
        opened.Value.Dispose();
        if (digest.IsOk)
            _ = LibC.unlink(root.Path(patch.StorePath));
        return SysResult.Fail<SafeFileHandle>(digest.IsOk ? Errno.EIO : digest.Errno, "verify");
    }

    /// <summary>Removes the copies that nobody wants or owns, and temporary files of a crashed run; the number removed.</summary>
    public int Collect(IReadOnlySet<Sha256> keep)
    {
        ArgumentNullException.ThrowIfNull(keep);
        var removed = 0;
        var path = root.Path(StoreDirectory);
        if (DirectoryListing.Read(path, MaxEntries) is not { IsOk: true } listing)
            return 0;
        foreach (var name in listing.Value)
        {
            var stale = name.StartsWith(TempFile.Prefix, StringComparison.Ordinal)
                || (Decompressor.FromName(name, out var stem) is not null && Sha256.TryParse(name.AsSpan(0, stem)) is { } digest && !keep.Contains(digest));
            if (!stale)
                continue;
            Failpoint.At("store.collect.before");
            if (LibC.unlink($"{path}/{name}") == 0)
                removed++;
            Failpoint.At("store.collect.removed");
        }
        return removed;
    }

    internal DirectoryTrust Trust => trust;

    /// <summary>The digests of every copy; each is read once, and again when it changed.</summary>
    internal ImmutableArray<(Sha256 Digest, Sha256 Image, Sha256 Content)> Copies()
    {
        var found = ImmutableArray.CreateBuilder<(Sha256, Sha256, Sha256)>();
        var known = new Dictionary<Sha256, KnownCopy>();
        if (DirectoryListing.Read(root.Path(StoreDirectory), MaxEntries) is not { IsOk: true } listing)
            return [];
        foreach (var name in listing.Value)
        {
            if (Decompressor.FromName(name, out var stem) is null || Sha256.TryParse(name.AsSpan(0, stem)) is not { } digest
                || Sys.Stat(root.Path($"{StoreDirectory}/{name}"), follow: false) is not { IsOk: true } stat)
                continue;
            if (!copies.TryGetValue(digest, out var copy) || copy.Identity != stat.Value)
            {
                if (ReadCopy($"{StoreDirectory}/{name}") is not { } read)
                    continue;
                copy = new(stat.Value, read.Image, read.Content);
            }
            known[digest] = copy;
            found.Add((digest, copy.Image, copy.Content));
        }
        copies = known;
        return found.ToImmutable();
    }

    private (Sha256 Image, Sha256 Content)? ReadCopy(string storePath)
    {
        var opened = Sys.Open(root.Path(storePath), LibC.ReadOnly | LibC.NoFollow | LibC.NonBlock);
        if (!opened.IsOk)
            return null;
        using var file = opened.Value;
        if (Sys.Stat(file) is not { IsOk: true, Value: { IsRegular: true, Size: > 0 and <= MaxFileSize } stat } || NativeBuffer.Allocate((int)stat.Size) is not { IsOk: true, Value: var buffer })
            return null;
        using (buffer)
        {
            var read = Sys.Read(file, buffer.All);
            return read.IsOk ? FileDigest.OfModule(buffer.All[..read.Value]) : null;
        }
    }

    private sealed record KnownCopy(FileIdentity Identity, Sha256 Image, Sha256 Content);

    internal bool Holds(StoredPatch patch) => Sys.Stat(root.Path(patch.StorePath), follow: false) is { IsOk: true, Value.IsRegular: true };

    /// <param name="directory">Already found trustworthy.</param>
    /// <param name="identity">Of the file that was read; default when it was not.</param>
    internal IntakeResult IntakeFrom(SafeFileHandle directory, string name, string path, TrustAnchors anchors, out FileIdentity identity)
    {
        identity = default;
        if (Decompressor.FromName(name, out var stem) is not { } compression || PatchName.TryParse(name.AsSpan(0, stem)) is not { } fileName)
            return Refuse(path, null, new Refusal(Reason.BadFileName, "not the name of a module file"));
        var (source, unread) = SourceFile.Read(directory, name, trust, MaxFileSize);
        if (source is null)
            return Refuse(path, fileName, unread!);
        using (source)
        {
            identity = source.Identity;
            return Take(source, compression, path, fileName, anchors);
        }
    }

    internal static IntakeResult Refuse(string path, PatchName? name, Refusal refusal) =>
        new(null, new RefusedFile(Printable.Line(path, MaxPathLength), name, refusal.Reason, Printable.Line(refusal.Detail)));

    private const int MaxPathLength = 4096;

    private IntakeResult Take(SourceFile source, ModuleCompression compression, string path, PatchName fileName, TrustAnchors anchors)
    {
        if (compression == ModuleCompression.None)
            return TakeImage(source.Identity, null, source.Buffer, compression, path, fileName, anchors);
        if (!Decompressor.HasMagic(source.Content, compression))
            return Refuse(path, fileName, new Refusal(Reason.CorruptCompression, $"the content is not {compression}, as the name says"));
        var (image, corrupt) = Decompressor.Decompress(source.Buffer, compression, MaxFileSize);
        if (image is null)
            return Refuse(path, fileName, corrupt!);
        Failpoint.At("intake.decompressed");
        using (image)
        {
            var digest = FileDigest.Of(source.Content);
            // From here on the image is enough, and the unit's MemoryMax= counts on it: a signature is held against another copy.
            source.Dispose();
            return TakeImage(source.Identity, digest, image, compression, path, fileName, anchors);
        }
    }

    /// <param name="packed">Of the file as dropped; null where that is the image.</param>
    private IntakeResult TakeImage(
        FileIdentity file, Sha256? packed, NativeBuffer image, ModuleCompression compression, string path, PatchName fileName, TrustAnchors anchors)
    {
        var inspected = ModuleInspector.Inspect(image.Content, HostMachine.Elf);
        if (!inspected.IsModule)
            return Refuse(path, fileName, new Refusal(inspected.Reason.Value, inspected.Detail));

        Failpoint.At("intake.inspected");
        var (whole, content) = FileDigest.OfModule(image.Content);
        var digest = packed ?? whole;
        var signature = CmsVerifier.OfModule(image.Content, anchors);
        Failpoint.At("intake.hashed");
        var storePath = $"{StoreDirectory}/{digest.Hex}.ko";
        var kept = Keep(image.Content, root.Path(storePath));
        return kept.IsOk
            ? new IntakeResult(new StoredPatch(new PatchModule(inspected.Module, digest, compression, file.Size) { Content = content, Footprint = PatchFootprint.Read(image.Content) }, storePath, whole, signature), null)
            : Refuse(path, inspected.Module.Name, Refusal.Of(Reason.StoreUnavailable, kept));
    }

    private SysResult Keep(ReadOnlySpan<byte> content, string storePath)
    {
        // A copy is trusted only after it was compared with the bytes just inspected, so a torn or damaged one is simply written again.
        if (IsSame(storePath, content))
            return SysResult.Success;
        var directory = PrivateDirectory.Ensure(root, StoreDirectory, trust.Owner);
        if (!directory.IsOk)
            return directory;
        var created = TempFile.Create(root.Path(StoreDirectory), mode: 0x100); // 0400
        if (!created.IsOk)
            return created.WithoutValue;
        using var file = created.Value;
        Failpoint.At("store.created");
        // On the scan thread, before the patch counts as wanted: no load waits for it, and what is journalled as loaded is on the disk.
        var published = file.Publish(content, storePath);
        Failpoint.At("store.published");
        return published.IsOk ? TempFile.SyncDirectory(root.Path(StoreDirectory)) : published;
    }

    private static bool IsSame(string storePath, ReadOnlySpan<byte> content)
    {
        var opened = Sys.Open(storePath, LibC.ReadOnly | LibC.NoFollow | LibC.NonBlock);
        if (!opened.IsOk)
            return false;
        using var file = opened.Value;
        if (Sys.Stat(file) is not { IsOk: true, Value.IsRegular: true } stat || stat.Value.Size != content.Length)
            return false;
        var chunk = ArrayPool<byte>.Shared.Rent(CompareChunk);
        try
        {
            while (!content.IsEmpty)
            {
                var read = Sys.Read(file, chunk.AsSpan(0, Math.Min(CompareChunk, content.Length)));
                if (!read.IsOk || read.Value == 0 || !content.StartsWith(chunk.AsSpan(0, read.Value)))
                    return false;
                content = content[read.Value..];
            }
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(chunk);
        }
    }
}
