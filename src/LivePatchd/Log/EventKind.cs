// The registry of logged events: each has one MESSAGE_ID that never changes, for journalctl and for alerting rules.
namespace LivePatchd.Log;

internal enum EventKind
{
    Started,
    Stopping,
    StateChanged,
    StepTaken,
    StepFailed,
    Refused,
    Adopted,
    Blocked,
    Forced,
    Placed,
    ConfigLoaded,
    ConfigProblem,
    JournalProblem,
    HistoryProblem,
    BusProblem,
    MetricsProblem,
    GateProblem,
    HoldChanged,
    InhibitorChanged,
    Downgraded,
    TargetRefused,
    Bug,
    Library,
}

internal static class EventIds
{
    /// <summary>128-bit id in the form that the journal's MESSAGE_ID field wants.</summary>
    public static string MessageId(this EventKind kind) => kind switch
    {
        EventKind.Started => "281373e1c3f340a78cf6f3c60ec1c5a0",
        EventKind.Stopping => "560d6e8d0f874dd2aa6bcf7c2a7c926a",
        EventKind.StateChanged => "7bcd6d03a58346688a3b04b3f60bcc99",
        EventKind.StepTaken => "f1aa5fe8458048b097469ad500f3d48c",
        EventKind.StepFailed => "7c4b5cfa29cd43099b07ca5621787445",
        EventKind.Refused => "148e6be5a7aa4a11bd85e0c66d7a212a",
        EventKind.Adopted => "9e199b1fecb8415aafabacb4556ac8c3",
        EventKind.Blocked => "c3018ba1d27e4bf698ef4cfedaaab634",
        EventKind.Forced => "981c044ded3341009886d1b813cbadf7",
        EventKind.Placed => "a8c84a94dd6679083fbf72795f7658cf",
        EventKind.ConfigLoaded => "5fef08f1a5fc41948c7a766e7cf38c86",
        EventKind.ConfigProblem => "05ddd08c4944431e9d200d905ec00bf2",
        EventKind.JournalProblem => "6ae35bf5754247f89def964f3ae89378",
        EventKind.HistoryProblem => "fc240ffd54a24c5aa64ef4158707317b",
        EventKind.BusProblem => "4d90e0d955414f60a650cca859fd3200",
        EventKind.MetricsProblem => "f39e8057717e45bca55c1b3dc2083067",
        EventKind.GateProblem => "ab9c2c7de7eb4cbaa919036466fe8510",
        EventKind.HoldChanged => "b1ef615167ef468591294dd7128f99f2",
        EventKind.InhibitorChanged => "1eb9a6de60704975b9e6cb1b39be02a5",
        EventKind.Downgraded => "bdc5c9373c95413dbec21dbeb33f394c",
        EventKind.TargetRefused => "43f7e1c1b9be4442ba701282609145e9",
        EventKind.Bug => "4428b248009d42a497afe9e7d2bd3db3",
        EventKind.Library => "4718b8115c844d6f8bc4427f02131e23",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
