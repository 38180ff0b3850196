// Reads NAME.yaml and its signature NAME.yaml.p7s beside NAME.ko, with the same care as the module itself.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Trust;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>Parses a sidecar; any error refuses the patch beside it.</summary>
/// <param name="file">Its name, for the errors.</param>
public delegate (Manifest? Manifest, ImmutableArray<ConfigError> Errors) ManifestParser(string file, ReadOnlySpan<byte> yaml);

/// <summary>Exactly one of Manifest and Refusal is set, or neither when there is no sidecar.</summary>
internal sealed record Sidecar(Manifest? Manifest, SignatureEvidence Signature, Refusal? Refusal)
{
    internal static Sidecar Absent { get; } = new(null, SignatureEvidence.None, null);

    internal static Sidecar Refused(Refusal refusal) => new(null, SignatureEvidence.None, refusal);
}

internal sealed class SidecarReader(DirectoryTrust trust, ManifestParser? parser)
{
    internal const int MaxSize = 64 << 10;

    internal const string SignatureSuffix = ".p7s";

    private readonly Dictionary<(ulong Device, ulong Inode), Remembered> memory = [];
    private readonly HashSet<(ulong Device, ulong Inode)> used = [];

    internal Sidecar Read(SafeFileHandle directory, string name, TrustAnchors anchors)
    {
        if (parser is null)
            return Sidecar.Absent;
        var found = Sys.Stat(directory, name);
        if (found.Errno == Errno.ENOENT)
            return Sidecar.Absent;
        var sign = Sys.Stat(directory, name + SignatureSuffix);
        if (found.IsOk && memory.TryGetValue(Key(found.Value), out var known) && known.Identity == found.Value && known.Name == name
            && known.Sign == sign && ReferenceEquals(known.Anchors, anchors))
        {
            used.Add(Key(found.Value));
            return known.Sidecar;
        }
        var (source, unread) = SourceFile.Read(directory, name, trust, MaxSize);
        if (source is null)
            return Sidecar.Refused(unread! with { Detail = $"{name}: {unread.Detail}" });
        using (source)
        {
            var (signature, lasting) = Signature(directory, name + SignatureSuffix, source.Content, anchors);
            var sidecar = Parse(name, source.Content, signature);
            if (lasting)
            {
                memory[Key(source.Identity)] = new Remembered(source.Identity, name, sign, anchors, sidecar);
                used.Add(Key(source.Identity));
            }
            return sidecar;
        }
    }

    internal void Forget() => memory.Clear();

    /// <summary>Forgets the sidecars that were not asked for since the last call.</summary>
    internal void EndPass()
    {
        foreach (var key in memory.Keys)
        {
            if (!used.Contains(key))
                memory.Remove(key);
        }
        used.Clear();
    }

    private Sidecar Parse(string name, ReadOnlySpan<byte> content, SignatureEvidence signature)
    {
        var (manifest, errors) = parser!(name, content);
        if (manifest is { Cves.IsEmpty: false, Sha256: null } && signature.State is not (SignatureState.Verified or SignatureState.Unchecked))
            return Sidecar.Refused(new Refusal(Reason.InvalidManifest, $"{name}: {Manifest.UnboundCves}"));
        return manifest is not null && errors.IsEmpty
            ? new Sidecar(manifest, signature, null)
            : Sidecar.Refused(new Refusal(Reason.InvalidManifest, errors.IsEmpty ? $"{name}: empty" : errors[0].ToString()));
    }

    /// <summary>Of the very bytes that are parsed. Lasting is false when a later look at the same files may say something else.</summary>
    private (SignatureEvidence Evidence, bool Lasting) Signature(SafeFileHandle directory, string name, ReadOnlySpan<byte> content, TrustAnchors anchors)
    {
        var (source, unread) = SourceFile.Read(directory, name, trust, CmsVerifier.MaxMessage);
        if (source is null)
        {
            return Sys.Stat(directory, name).Errno == Errno.ENOENT
                ? (SignatureEvidence.None, true)
                : (new SignatureEvidence(SignatureState.Mismatch, Detail: $"{name}: {unread!.Detail}"), false);
        }
        using (source)
            return (CmsVerifier.OfFile(content, source.Content, anchors), true);
    }

    private static (ulong Device, ulong Inode) Key(FileIdentity file) => (file.Device, file.Inode);

    private sealed record Remembered(FileIdentity Identity, string Name, SysResult<FileIdentity> Sign, TrustAnchors Anchors, Sidecar Sidecar);
}
