// What keeps a patch out after a reboot too: the marks in the daemon's journal that outlive a boot, and the list of denied digests.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;
using LivePatchd.Ctl.Files;

namespace LivePatchd.Ctl.Readiness;

/// <param name="Unknown">What could not be read, one sentence each.</param>
internal sealed record StandingMarks(Ledger Ledger, ImmutableHashSet<Sha256> Denied, ImmutableArray<string> Unknown)
{
    private const string Journal = "/var/lib/livepatchd/state/journal";
    private const string DenyDirectory = "/etc/livepatchd/deny.d";
    private const int MaxDenied = 10_000;

    // No boot has this id, so only what outlives a boot is left.
    private const string NextBoot = "";

    public static StandingMarks Read(string root)
    {
        var unknown = ImmutableArray.CreateBuilder<string>();
        return new(ReadJournal(root, unknown), ReadDenied(root, unknown), unknown.ToImmutable());
    }

    /// <summary>Null when nothing stands against this file, whose module has been read.</summary>
    public (Reason Reason, string Detail)? Against(PatchFile file) =>
        file is not { Name: { } name, Identity: { } patch, ImageDigest: { } image } ? null
        : Denied.Contains(patch.Digest) ? (Reason.Denied, $"{DenyDirectory}/{patch.Digest}")
        : Denied.Contains(patch.Key) ? (Reason.Denied, $"{DenyDirectory}/{patch.Key}")
        : Denied.Contains(image) ? (Reason.Denied, $"{DenyDirectory}/{image}")
        : Ledger.Quarantined.Of(patch) is { } mark ? (mark.Reason, "quarantined" + (mark.Detail.Length > 0 ? $": {mark.Detail}" : ""))
        : Ledger.Reverted.Contains(name) ? (Reason.RevertedByOperator, "until livepatchctl apply")
        : Ledger.IsUnconfirmed(name, patch) ? (Reason.NotConfirmed, "until livepatchctl apply")
        : null;

    /// <summary>A successor counts as long as its file is there and may be loaded.</summary>
    public PatchName? SuccessorOf(PatchFile file, IEnumerable<PatchFile> others) =>
        file.Name is { } name && Ledger.Superseded.TryGetValue(name, out var mark) && file.Identity?.Is(mark.Digest) == true
        && others.Any(o => o.IsPossible && o.Name == mark.By && mark.ByDigest is { } by && o.Identity?.Is(by) == true) ? mark.By : null;

    private static Ledger ReadJournal(string root, ImmutableArray<string>.Builder unknown)
    {
        var file = ModuleFile.Read(root + Journal);
        if (file.Bytes is { } bytes)
        {
            var content = JournalCodec.Decode(bytes);
            if (content.Damage is { } damage)
                unknown.Add($"what is quarantined or reverted: {Journal}: {damage}");
            return LedgerFold.Replay(content.Records, NextBoot);
        }
        if (file.Errno != ModuleFile.NoSuchFile)
            unknown.Add($"what is quarantined or reverted: {Journal}: {file.Detail}");
        return Ledger.Empty(NextBoot);
    }

    private static ImmutableHashSet<Sha256> ReadDenied(string root, ImmutableArray<string>.Builder unknown)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(root + DenyDirectory).Take(MaxDenied).Select(static p => Sha256.TryParse(Path.GetFileName(p))).OfType<Sha256>()];
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            unknown.Add($"what is denied: {DenyDirectory} cannot be read");
            return [];
        }
    }
}
