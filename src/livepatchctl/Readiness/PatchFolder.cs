// The patch files that lie ready for one kernel, each judged as far as its bytes and its manifest tell.
using System.Security.Cryptography;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Files;
using LivePatchd.Linux.Config;

namespace LivePatchd.Ctl.Readiness;

/// <param name="Files">By name.</param>
/// <param name="Unreadable">Directories that are there and cannot be read.</param>
internal sealed record PatchFolder(IReadOnlyList<PatchFile> Files, IReadOnlyList<string> Unreadable)
{
    // As many as the daemon takes.
    private const int MaxEntries = UnreadableDirectory.MaxPatchFiles;

    private static readonly string[] Suffixes = [".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

    public static PatchFolder Read(string root, IEnumerable<string> watched, string release, StandingMarks marks, DateTimeOffset now)
    {
        var files = new List<PatchFile>();
        var unreadable = new List<string>();
        foreach (var directory in watched.Select(w => $"{w.TrimEnd('/')}/{release}"))
        {
            try
            {
                var ours = Directory.EnumerateFileSystemEntries(root + directory).Where(static p => SuffixOf(Path.GetFileName(p)) is not null).Take(MaxEntries + 1).ToList();
                if (ours.Count > MaxEntries)
                {
                    // As the daemon does: of what it cannot see whole it takes nothing.
                    unreadable.Add(directory);
                    continue;
                }
                foreach (var path in ours.Order(StringComparer.Ordinal))
                {
                    var name = Path.GetFileName(path);
                    files.Add(Judge(path, $"{directory}/{name}", name[..^SuffixOf(name)!.Length], release, marks, now));
                }
            }
            catch (DirectoryNotFoundException) when (!File.Exists(root + directory))
            {
                // No directory for this kernel: nothing is wanted.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                unreadable.Add(directory);
            }
        }
        return new(Among(files, marks), unreadable);
    }

    private static string? SuffixOf(string name) =>
        name[0] == '.' ? null : Suffixes.FirstOrDefault(s => name.Length > s.Length && name.EndsWith(s, StringComparison.Ordinal));

    private static PatchFile Judge(string place, string path, string stem, string release, StandingMarks marks, DateTimeOffset now)
    {
        var unread = new PatchFile(path, PatchName.TryParse(stem), FileStanding.Refused);
        if (new FileInfo(place).LinkTarget is not null)
            return unread.Because(FileStanding.Refused, Reason.NotARegularFile, "a link");
        var file = ModuleFile.Read(place);
        if (file.Bytes is not { } bytes)
            return unread.Because(FileStanding.Refused, file.Reason!.Value, file.Detail);
        var digest = Sha256.FromBytes(SHA256.HashData(bytes));
        var manifest = ManifestOf(Path.Combine(Path.GetDirectoryName(place)!, stem + ".yaml"), out var fault);
        var read = unread with { Digest = digest, Manifest = manifest };
        if (manifest is { Cves.IsEmpty: false, Sha256: null } && !File.Exists(Path.Combine(Path.GetDirectoryName(place)!, stem + ".yaml.p7s")))
            fault = (Reason.InvalidManifest, $"{stem}.yaml: {Core.Model.Manifest.UnboundCves}");
        if (fault is { } wrong)
            return read.Because(FileStanding.Refused, wrong.Reason, wrong.Detail);
        var image = ModuleImage.OfFileNamed(Path.GetFileName(place), bytes);
        if (image.Bytes is not { } content)
            return read.Because(FileStanding.Refused, image.Reason!.Value, image.Detail);
        read = read with { ImageDigest = image.Compression == ModuleCompression.None ? digest : Sha256.FromBytes(SHA256.HashData(content)), Content = Sha256.FromBytes(SHA256.HashData(SignatureTrailer.Unsigned(content))) };
        var module = ModuleReader.Read(content);
        if (!module.IsModule)
            return read.Because(FileStanding.Refused, module.Reason.Value, module.Detail);
        var info = module.Contents.Info;
        read = read with { Name = info.Name, Cumulative = module.Contents.Patch?.Replace };
        if (!info.Livepatch)
            return read.Because(FileStanding.Refused, Reason.NotALivepatch, $"module {info.Name} has no livepatch=Y");
        if (ObjectName.Unmatched(module.Contents.Patch) is { } unmatched)
            return read.Because(FileStanding.Refused, Reason.ObjectNeverMatches, unmatched);
        if (info.KernelRelease != release)
            return read.Because(FileStanding.Refused, Reason.WrongKernel, $"built for {info.KernelRelease}");
        return Judged(read, manifest, release, marks, now);
    }

    private static PatchFile Judged(PatchFile file, Manifest? manifest, string release, StandingMarks marks, DateTimeOffset now)
    {
        if (manifest is not null)
        {
            if (Mismatch(file, manifest, release) is { } mismatch)
                return file.Because(FileStanding.Refused, Reason.ManifestMismatch, mismatch);
            if (manifest.NotAfter < now)
                return file.Because(FileStanding.Refused, Reason.Expired, $"not-after {manifest.NotAfter:O}");
            if (!manifest.NotInForce.IsEmpty)
                return file.Because(FileStanding.KeptOut, Reason.ManifestNotInForce, string.Join(", ", manifest.NotInForce));
            if (manifest.NotBefore > now)
                return file.Because(FileStanding.KeptOut, Reason.NotYetValid, $"not-before {manifest.NotBefore:O}");
        }
        return marks.Against(file) is { } mark
            ? file.Because(FileStanding.KeptOut, mark.Reason, mark.Detail)
            : file with { Standing = FileStanding.Ready };
    }

    private static string? Mismatch(PatchFile file, Manifest manifest, string release) =>
        manifest.Name is { } name && file.Name is { } own && name != own ? $"name: {name}, the module says {own}"
        : manifest.Sha256 is { } digest && digest != file.Digest ? $"sha256: {digest}, the file has {file.Digest}"
        : !manifest.Kernels.IsEmpty && !manifest.Kernels.Contains(release) ? $"kernels: {string.Join(", ", manifest.Kernels)}"
        : null;

    private static Manifest? ManifestOf(string path, out (Reason Reason, string Detail)? fault)
    {
        fault = null;
        var file = ModuleFile.Read(path);
        if (file.Bytes is not { } yaml)
        {
            if (file.Errno != ModuleFile.NoSuchFile)
                fault = (file.Reason!.Value, $"{Path.GetFileName(path)}: {file.Detail}");
            return null;
        }
        var result = ManifestReader.Read(Path.GetFileName(path), yaml);
        if (result.Manifest is null)
            fault = (Reason.InvalidManifest, result.Errors.FirstOrDefault()?.ToString() ?? $"{Path.GetFileName(path)}: empty");
        return result.Manifest;
    }

    // Of two builds under one name the daemon takes neither; what a cumulative patch has replaced stays out.
    private static List<PatchFile> Among(List<PatchFile> files, StandingMarks marks)
    {
        var contested = files.Where(static f => f.IsPossible).GroupBy(static f => f.Name).Where(static g => g.Select(static f => f.Identity?.Key).Distinct().Count() > 1).SelectMany(static g => g).ToHashSet();
        files = files.ConvertAll(f => contested.Contains(f) ? f.Because(FileStanding.Refused, Reason.DuplicateName, "two builds of one name") : f);
        return files.ConvertAll(f => f.IsPossible && marks.SuccessorOf(f, files) is { } by ? f.Because(FileStanding.KeptOut, Reason.ReplacedByNewer, $"by {by}") : f);
    }
}
