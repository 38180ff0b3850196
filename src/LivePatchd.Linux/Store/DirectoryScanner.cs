// Reads the watched directories for one kernel release: which patches are wanted, which files are refused, what could not be read.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Trust;
using LivePatchd.Linux.Config;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Trust;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <param name="Stored">The store's copy of every wanted patch.</param>
public sealed record ScanResult(DesiredState Desired, ImmutableDictionary<Sha256, StoredPatch> Stored);

/// <summary>A file is read again only when its identity changed: a scan of unchanged directories costs a stat each. Not thread-safe.</summary>
public sealed class DirectoryScanner(SystemRoot root, PatchStore store, ManifestParser? manifests = null)
{
    /// <summary>Of patch files: what else lies there does not count.</summary>
    public const int MaxEntries = UnreadableDirectory.MaxPatchFiles;

    private readonly SidecarReader sidecars = new(store.Trust, manifests);
    private readonly TrustSources sources = new(root);
    private Dictionary<string, Remembered> memory = [];

    public ScanResult Scan(ImmutableArray<WatchedDirectory> directories, string kernelRelease, TrustSettings? settings = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(kernelRelease);
        var trust = sources.Read(settings ?? TrustSettings.Default);
        if (store.Trust.AlsoOwner != trust.Owner)
        {
            // Everything was judged by who may own it.
            memory = [];
            sidecars.Forget();
            store.Trust.AlsoOwner = trust.Owner;
        }
        var scan = new Pass(kernelRelease, trust);
        scan.Refused.AddRange(trust.Unusable);
        foreach (var directory in directories)
            ScanDirectory(directory.Path, scan);
        DenyCopies(scan);
        // What was not seen this time is forgotten.
        memory = scan.Memory;
        var checks = HealthDirectory.Read(root);
        sidecars.EndPass();
        return new ScanResult(
            new DesiredState(scan.Wanted.ToImmutable(), scan.Refused.ToImmutable(), scan.Unreadable.ToImmutable())
            {
                Denied = scan.Denied.ToImmutable(),
                TrustedKeys = trust.Anchors.Keys,
                Seats = scan.Seats.ToImmutable(),
                HostChecks = [.. checks.Required, .. checks.Wanted],
            },
            scan.Stored.ToImmutable());
    }

    private void ScanDirectory(string watched, Pass scan)
    {
        var outer = Sys.Open(root.Path(watched), LibC.PathOnly | LibC.Directory);
        if (!outer.IsOk)
        {
            scan.Unreadable.Add(new UnreadableDirectory(watched, outer.Errno));
            return;
        }
        using var outerHandle = outer.Value;
        var inner = Sys.OpenBeneath(outerHandle, scan.Release, LibC.ReadOnly | LibC.Directory);
        var path = $"{watched.TrimEnd('/')}/{scan.Release}";
        // No sub-directory for this kernel is a clear answer, as far as it is one about the file system that the files were seen on.
        if (inner.Errno == Errno.ENOENT)
        {
            scan.Seats[path] = FileSystemOf.Name(root, outerHandle);
            return;
        }
        if (!inner.IsOk)
        {
            scan.Unreadable.Add(new UnreadableDirectory(path, inner.Errno));
            return;
        }
        using var directory = inner.Value;
        var listing = DirectoryListing.Read(root.Path(path), MaxEntries, IsPatchFile);
        if (!listing.IsOk)
        {
            scan.Unreadable.Add(new UnreadableDirectory(path, listing.Errno));
            return;
        }
        var fileSystem = FileSystemOf.Name(root, directory);
        scan.Seats[path] = fileSystem;
        var untrusted = store.Trust.Check(directory, root.Path(path), own: 2);
        foreach (var name in listing.Value)
        {
            if (name[0] == '.' || Decompressor.FromName(name, out var stem) is null)
                continue;
            if (untrusted is null)
                ScanFile(directory, path, name, name[..stem], fileSystem, scan);
            else
                scan.Refuse(PatchStore.Refuse($"{path}/{name}", PatchName.TryParse(name.AsSpan(0, stem)), untrusted));
        }
    }

    /// <summary>By its name: a file whose name begins with a dot is somebody's copy in the making.</summary>
    internal static bool IsPatchFile(string name) => name[0] != '.' && Decompressor.FromName(name, out _) is not null;

    private void ScanFile(SafeFileHandle directory, string directoryPath, string name, string stem, string fileSystem, Pass scan)
    {
        var path = $"{directoryPath}/{name}";
        var seen = Sys.Stat(root.Path(path), follow: false);
        if (seen.Errno == Errno.ENOENT && !name.Contains('\uFFFD', StringComparison.Ordinal))
            return; // taken out since it was listed
        var intake = Recall(path, seen, scan) ?? Intake(directory, name, path, scan);
        if (intake.Stored is not { } stored)
        {
            scan.Refuse(intake);
            return;
        }
        // Before anything else: a denial reaches what is loaded, whatever else is wrong with the file.
        var denied = Denied(stored, scan);
        if ((denied ?? Admit(stored, scan.Release)) is { } refusal)
        {
            scan.Refuse(PatchStore.Refuse(path, stored.Module.Name, refusal));
            return;
        }
        var sidecar = sidecars.Read(directory, stem + ".yaml", scan.Trust.Anchors);
        var evidence = new Evidence(stored.Signature, sidecar.Signature);
        if ((sidecar.Refusal ?? Distrusted(evidence, sidecar.Manifest, scan.Trust)) is { } wrong)
        {
            scan.Refuse(PatchStore.Refuse(path, stored.Module.Name, wrong));
            return;
        }
        scan.Wanted.Add(new WantedPatch(stored.Module, path, UnsignedPolicy.Strip(sidecar.Manifest, scan.Trust.Settings, evidence)) { Evidence = evidence, FileSystem = fileSystem });
        scan.Stored[stored.Digest] = stored;
    }

    /// <summary>
    /// What is loaded has its copy in the store: a denial by what is in the file is found there, also when the file is gone or refused.
    /// </summary>
    private void DenyCopies(Pass scan)
    {
        var denied = scan.Trust.Denials.Digests;
        if (!denied.IsEmpty)
            scan.Denied.UnionWith(store.Copies().Where(c => denied.Contains(c.Image) || denied.Contains(c.Content)).Select(static c => c.Digest));
    }

    /// <summary>By the digest of the file, of the module in it, or of that without its signature: packing or signing again does not help.</summary>
    private static Refusal? Denied(StoredPatch stored, Pass scan)
    {
        var denied = scan.Trust.Denials.Digests;
        Sha256[] digests = [stored.Digest, stored.Image, stored.Module.Identity.Key];
        if (digests.FirstOrDefault(denied.Contains) is not { Hex.Length: > 0 } named)
            return null;
        scan.Denied.Add(stored.Digest);
        return new Refusal(Reason.Denied, $"{DenyList.Path}/{named}");
    }

    private static Refusal? Distrusted(Evidence evidence, Manifest? manifest, TrustState trust) =>
        trust.Problem is { } problem ? new Refusal(Reason.TrustUnavailable, problem)
        : TrustRule.Judge(trust.Settings, evidence, manifest) is { } distrust ? new Refusal(distrust.Reason, distrust.Detail)
        : null;

    internal static Refusal? Admit(StoredPatch patch, string release)
    {
        var info = patch.Module.Info;
        if (!info.Livepatch)
            return new Refusal(Reason.NotALivepatch, $"module {info.Name} has no livepatch=Y");
        return info.KernelRelease == release ? null : new Refusal(Reason.WrongKernel, $"built for {info.KernelRelease}, running {release}");
    }

    private IntakeResult? Recall(string path, SysResult<FileIdentity> seen, Pass scan)
    {
        if (!seen.IsOk || !memory.TryGetValue(path, out var known) || known.Identity != seen.Value)
            return null;
        if (!ReferenceEquals(known.Anchors, scan.Trust.Anchors) || known.Intake.Stored is { } stored && !store.Holds(stored))
            return null;
        scan.Memory[path] = known;
        return known.Intake;
    }

    private IntakeResult Intake(SafeFileHandle directory, string name, string path, Pass scan)
    {
        var intake = store.IntakeFrom(directory, name, path, scan.Trust.Anchors, out var identity);
        // Only what the bytes themselves decide is remembered: a full disk or a file in flux is looked at again.
        if (identity != default && intake.Refused?.Reason is not (Reason.StoreUnavailable or Reason.FileChanging or Reason.UnreadableFile))
            scan.Memory[path] = new Remembered(identity, intake, scan.Trust.Anchors);
        return intake;
    }

    private sealed record Remembered(FileIdentity Identity, IntakeResult Intake, TrustAnchors Anchors);

    private sealed class Pass(string release, TrustState trust)
    {
        internal string Release => release;

        internal TrustState Trust => trust;

        internal ImmutableHashSet<Sha256>.Builder Denied { get; } = trust.Denials.Digests.ToBuilder();

        internal ImmutableArray<WantedPatch>.Builder Wanted { get; } = ImmutableArray.CreateBuilder<WantedPatch>();

        internal ImmutableArray<RefusedFile>.Builder Refused { get; } = ImmutableArray.CreateBuilder<RefusedFile>();

        internal ImmutableArray<UnreadableDirectory>.Builder Unreadable { get; } = ImmutableArray.CreateBuilder<UnreadableDirectory>();

        internal ImmutableDictionary<Sha256, StoredPatch>.Builder Stored { get; } = ImmutableDictionary.CreateBuilder<Sha256, StoredPatch>();

        internal ImmutableDictionary<string, string>.Builder Seats { get; } = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);

        internal Dictionary<string, Remembered> Memory { get; } = [];

        internal void Refuse(IntakeResult intake) => Refused.Add(intake.Refused!);
    }
}
