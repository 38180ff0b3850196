// Reads /etc/livepatchd/deny.d: each file's name is the SHA-256 of a patch that must not be in the kernel.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Trust;

/// <param name="Problem">Null, or why it is not known what is denied.</param>
internal sealed record Denials(ImmutableHashSet<Sha256> Digests, ImmutableArray<RefusedFile> Unusable, string? Problem);

public static class DenyList
{
    public const string Path = "/etc/livepatchd/deny.d";

    private const int MaxEntries = 10_000;
    private const int MaxReported = 16;

    /// <summary>No directory: nothing is denied. The files' contents are for people and are not read.</summary>
    internal static Denials Read(SystemRoot root, DirectoryTrust trust)
    {
        var path = root.Path(Path);
        var opened = Sys.Open(path, LibC.PathOnly | LibC.Directory);
        if (opened.Errno is Errno.ENOENT)
            return new([], [], null);
        if (!opened.IsOk)
            return Unknown($"{opened.Errno}");
        using var directory = opened.Value;
        if (trust.Check(directory, path) is { } untrusted)
            return Unknown(untrusted.Detail);
        var listing = DirectoryListing.Read(path, MaxEntries);
        if (!listing.IsOk)
            return Unknown(listing.Errno is Errno.E2BIG ? $"more than {MaxEntries} files" : $"{listing.Errno}");
        var digests = ImmutableHashSet.CreateBuilder<Sha256>();
        var unusable = ImmutableArray.CreateBuilder<RefusedFile>();
        foreach (var name in listing.Value.Where(static n => n[0] != '.'))
        {
            if (Sha256.TryParse(name) is { } digest)
                digests.Add(digest);
            else if (unusable.Count < MaxReported)
                unusable.Add(TrustSources.Unusable($"{Path}/{name}", "its name is not a SHA-256 of 64 hexadecimal digits, so it denies nothing"));
        }
        return new(digests.ToImmutable(), unusable.ToImmutable(), null);

        static Denials Unknown(string why) => new([], [], $"{Path}: {why}");
    }
}
