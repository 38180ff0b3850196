// What a patch is known by in every list: the digest of its file, and the digest of what is in it.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

/// <summary>
/// A file that is packed or signed again has another digest and the same content, and what was held against the one holds for the other.
/// </summary>
/// <param name="Digest">Of the file as dropped.</param>
/// <param name="Content">Of the decompressed image without its signature trailer; null in records of versions that did not know it.</param>
public readonly record struct PatchIdentity(Sha256 Digest, Sha256? Content)
{
    /// <summary>What lists keep it under.</summary>
    public Sha256 Key => Content ?? Digest;

    public bool Is(Sha256 digest) => digest == Digest || digest == Content;

    public bool Matches(PatchIdentity other) => Is(other.Digest) || (other.Content is { } content && Is(content));
}

/// <summary>Lists that are kept by <see cref="PatchIdentity.Key"/>, asked by identity: an entry of either digest counts.</summary>
public static class IdentityLists
{
    public static T? Of<T>(this ImmutableDictionary<Sha256, T> list, PatchIdentity patch)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(list);
        return list.GetValueOrDefault(patch.Key) ?? list.GetValueOrDefault(patch.Digest);
    }

    public static bool Has<T>(this ImmutableDictionary<Sha256, T> list, PatchIdentity patch)
        where T : class => list.Of(patch) is not null;

    public static bool Has(this IEnumerable<Sha256> list, PatchIdentity patch) => list.Any(patch.Is);

    public static bool Has(this ImmutableHashSet<Sha256> list, PatchIdentity patch)
    {
        ArgumentNullException.ThrowIfNull(list);
        return list.Contains(patch.Digest) || list.Contains(patch.Key);
    }

    public static ImmutableDictionary<Sha256, T> With<T>(this ImmutableDictionary<Sha256, T> list, PatchIdentity patch, T value) =>
        list.Without(patch).SetItem(patch.Key, value);

    public static ImmutableDictionary<Sha256, T> Without<T>(this ImmutableDictionary<Sha256, T> list, PatchIdentity patch)
    {
        ArgumentNullException.ThrowIfNull(list);
        return list.Remove(patch.Digest).Remove(patch.Key);
    }

    public static ImmutableArray<Sha256> Without(this ImmutableArray<Sha256> list, PatchIdentity patch) => list.RemoveAll(patch.Is);
}
