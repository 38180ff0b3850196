// What is not as usual on the host as a whole: one closed table, from which every surface is fed.
using System.Collections.Immutable;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Model;

/// <param name="Detail">One line that says who, where or until when.</param>
public sealed record HostCondition(Reason Reason, string Detail)
{
    /// <summary>`operator-hold: "why" (uid 0)`.</summary>
    public override string ToString() => Detail.Length == 0 ? Reason.Word() : $"{Reason.Word()}: {Detail}";
}

/// <param name="CheckCode">What `check` answers while it lasts, if nothing is worse: 0 where nothing that is wanted is kept out for longer than usual.</param>
public sealed record HostConditionRow(Reason Reason, int CheckCode);

public static class HostConditions
{
    private const int Pending = 3;
    private const int Unsupported = 4;
    private const int Refused = 6;
    private const int MaxDetail = 300;

    /// <summary>The worst first.</summary>
    public static ImmutableArray<HostConditionRow> Table { get; } =
    [
        new(Reason.LivepatchAbsent, Unsupported),
        new(Reason.NoPrivilege, Unsupported),
        new(Reason.ConfigInvalid, Refused),
        new(Reason.ConfigRefused, Refused),
        new(Reason.DirectoryUnreadable, Refused),
        new(Reason.Disabled, Pending),
        new(Reason.JournalUnreadable, Pending),
        new(Reason.JournalNewer, Pending),
        new(Reason.CrashLoop, Pending),
        new(Reason.ObserveMode, Pending),
        new(Reason.OperatorHold, Pending),
        new(Reason.ForcedUntilReboot, Pending),
        new(Reason.FilesStuck, Pending),
        new(Reason.Inhibited, 0),
        new(Reason.BootStuck, 0),
        new(Reason.WatchUnavailable, 0),
    ];

    /// <summary>Unknown reasons, of a newer daemon, are worth a look.</summary>
    public static int CheckCode(string word) => Table.FirstOrDefault(r => r.Reason.Word() == word)?.CheckCode ?? Pending;

    /// <summary>In the order of the table, each on one line.</summary>
    public static ImmutableArray<HostCondition> Ordered(IEnumerable<HostCondition> conditions)
    {
        var given = conditions.ToLookup(static c => c.Reason);
        return [.. Table.SelectMany(r => given[r.Reason]).Select(static c => c with { Detail = Printable.Line(c.Detail, MaxDetail) })];
    }
}
