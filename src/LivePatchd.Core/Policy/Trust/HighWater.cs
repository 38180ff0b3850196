// Streams go forward only: what was active here sets a mark, and nothing older of the stream is loaded after that.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Policy.Trust;

/// <summary>
/// A stream is held apart by kernel release and by the key that signed. Where manifests must be signed, an unsigned one neither moves a mark nor is
/// held against one; keys whose certificate was withdrawn no longer count, which is the way back from a key that was abused.
/// </summary>
public static class HighWater
{
    /// <summary>A day's number as a date, or a build counter, never jumps that far; a stolen key could otherwise end a stream for good.</summary>
    public const int MaxStep = 1_000_000;

    /// <summary>Null when the patch names no stream.</summary>
    public static StreamMark? Of(WantedPatch wanted) => wanted.Manifest is { Stream: { } stream, Sequence: { } sequence }
        ? new StreamMark(new StreamId(wanted.Module.Info.KernelRelease, stream, wanted.Evidence.Manifest.Key), sequence)
        : null;

    /// <summary>Null when nothing newer was active.</summary>
    public static Distrust? Judge(WantedPatch wanted, PlannerInput input)
    {
        if (input.Ledger.Downgrades.Has(wanted.Module.Identity))
            return null;
        var marks = input.Ledger.Marks.Where(m => Counts(m.Key, wanted, input)).ToList();
        if (Of(wanted) is not { } own)
        {
            var known = marks.FirstOrDefault(m => m.Value.Builds.TryGetValue(wanted.Name, out var build) && !wanted.Module.Identity.Is(build));
            return known.Key is { } stream ? new(Reason.Rollback, $"it was active in stream {stream.Stream}, and its manifest now names none") : null;
        }
        // Under another stream's name it would be held against nothing. Once it was active in both, by a downgrade, it may go on in either.
        var elsewhere = marks.FirstOrDefault(m => m.Key.Stream != own.Id.Stream && m.Value.Builds.TryGetValue(wanted.Name, out var build) && !wanted.Module.Identity.Is(build));
        if (elsewhere.Key is { } former && !marks.Any(m => m.Key.Stream == own.Id.Stream && m.Value.Builds.ContainsKey(wanted.Name)))
            return new(Reason.Rollback, $"it was active in stream {former.Stream}, and its manifest now names {own.Id.Stream}");
        marks.RemoveAll(m => m.Key.Stream != own.Id.Stream);
        var highest = marks.Select(m => m.Value.Sequence).DefaultIfEmpty().Max();
        if (own.Sequence < highest)
            return new(Reason.Rollback, $"stream {own.Id.Stream}: sequence {own.Sequence}, and {highest} was active");
        if (highest > 0 && own.Sequence - highest > MaxStep)
            return new(Reason.FastForward, $"stream {own.Id.Stream}: sequence {own.Sequence} after {highest}, at most {MaxStep} further is accepted");
        return marks.Any(m => m.Value.Sequence == own.Sequence && m.Value.Builds.TryGetValue(wanted.Name, out var build) && !wanted.Module.Identity.Is(build))
            ? new(Reason.Rollback, $"stream {own.Id.Stream}: another build was active with sequence {own.Sequence}")
            : null;
    }

    /// <summary>Null when no patch of a newer set of the same stream is wanted.</summary>
    /// <param name="mayLoad">Whether nothing lasting stands against another patch.</param>
    public static Distrust? Mixed(WantedPatch wanted, PlannerInput input, Func<WantedPatch, bool> mayLoad)
    {
        if (Of(wanted) is not { } own || input.Ledger.Downgrades.Has(wanted.Module.Identity))
            return null;
        var newer = input.Want.Wanted.FirstOrDefault(w =>
            w.Name != wanted.Name && Of(w) is { } other && other.Id == own.Id && other.Sequence > own.Sequence && mayLoad(w));
        return newer is null ? null : new(Reason.MixedSets, $"stream {own.Id.Stream}: sequence {own.Sequence}, and {newer.Name} is of {Of(newer)!.Sequence}");
    }

    /// <summary>The marks that what is active now sets.</summary>
    public static ImmutableArray<JournalRecord> Learn(PlannerInput input)
    {
        var records = ImmutableArray.CreateBuilder<JournalRecord>();
        foreach (var wanted in input.Want.Wanted)
        {
            // A manifest that was put there for the next build says nothing of the one that runs.
            if (Of(wanted) is not { } mark || wanted.Manifest!.Sha256 is { } pinned && pinned != wanted.Module.Digest || !Moves(mark.Id, input)
                || input.Ledger.Owned.GetValueOrDefault(wanted.Name) is not { ActiveAt: not null, DisabledAt: null } owned || !owned.Identity.Matches(wanted.Module.Identity))
                continue;
            var before = input.Ledger.Marks.GetValueOrDefault(mark.Id);
            if (before is null || mark.Sequence > before.Sequence || mark.Sequence == before.Sequence && !before.Builds.ContainsKey(wanted.Name))
                records.Add(new JournalRecord(RecordKind.MarkRaised, wanted.Name, input.Ledger.BootId, input.Now, wanted.Module.Digest) { Content = wanted.Module.Content, Mark = mark });
        }
        return records.ToImmutable();
    }

    private static bool Moves(StreamId id, PlannerInput input) => id.Key.Length > 0 || !input.Settings.Trust.AsksForManifest;

    private static bool Counts(StreamId id, WantedPatch wanted, PlannerInput input) =>
        id.Release == wanted.Module.Info.KernelRelease && (id.Key.Length == 0 ? Moves(id, input) : input.Want.TrustedKeys.Contains(id.Key));
}
