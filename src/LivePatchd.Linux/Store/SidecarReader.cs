// Reads NAME.yaml beside NAME.ko, with the same care as the module itself, and hands it to the manifest parser.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>Parses a sidecar; any error refuses the patch beside it.</summary>
/// <param name="file">Its name, for the errors.</param>
public delegate (Manifest? Manifest, ImmutableArray<ConfigError> Errors) ManifestParser(string file, ReadOnlySpan<byte> yaml);

internal sealed class SidecarReader(DirectoryTrust trust, ManifestParser? parser)
{
    internal const int MaxSize = 64 << 10;

    private readonly Dictionary<(ulong Device, ulong Inode), Remembered> memory = [];
    private readonly HashSet<(ulong Device, ulong Inode)> used = [];

    /// <summary>Both null when there is no sidecar.</summary>
    internal (Manifest? Manifest, Refusal? Refusal) Read(SafeFileHandle directory, string name)
    {
        if (parser is null)
            return (null, null);
        var found = Sys.Stat(directory, name);
        if (found.Errno == Errno.ENOENT)
            return (null, null);
        if (found.IsOk && memory.TryGetValue(Key(found.Value), out var known) && known.Identity == found.Value && known.Name == name)
        {
            used.Add(Key(found.Value));
            return (known.Manifest, known.Refusal);
        }
        var (source, unread) = SourceFile.Read(directory, name, trust.Owner, MaxSize);
        if (source is null)
            return (null, unread! with { Detail = $"{name}: {unread.Detail}" });
        using (source)
        {
            var (manifest, errors) = parser(name, source.Content);
            var refusal = manifest is null || !errors.IsEmpty
                ? new Refusal(Reason.InvalidManifest, errors.IsEmpty ? $"{name}: empty" : errors[0].ToString())
                : null;
            var result = new Remembered(source.Identity, name, refusal is null ? manifest : null, refusal);
            memory[Key(source.Identity)] = result;
            used.Add(Key(source.Identity));
            return (result.Manifest, result.Refusal);
        }
    }

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

    private static (ulong Device, ulong Inode) Key(FileIdentity file) => (file.Device, file.Inode);

    private sealed record Remembered(FileIdentity Identity, string Name, Manifest? Manifest, Refusal? Refusal);
}
