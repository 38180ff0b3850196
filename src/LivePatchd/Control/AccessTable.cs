// The one table of what each bus method takes: nothing for readers, polkit actions for all others. A method without a row is a bug.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Publish;

namespace LivePatchd.Control;

/// <summary>The contract's actions, as the installed policy file declares them.</summary>
internal static class PolkitActions
{
    public const string Apply = Prefix + "apply";
    public const string Revert = Prefix + "revert";
    public const string Stage = Prefix + "stage";
    public const string Confirm = Prefix + "confirm";
    public const string OverrideGates = Prefix + "override-gates";
    public const string Downgrade = Prefix + "downgrade";
    public const string Force = Prefix + "force";
    public const string Hold = Prefix + "hold";
    public const string Reload = Prefix + "reload";
    public const string Diagnose = Prefix + "diagnose";
    public const string Details = Prefix + "details";

    private const string Prefix = "org.livepatchd1.";
}

internal static class AccessTable
{
    private static readonly Func<BusCall, IReadOnlyList<string>> Everybody = static _ => [];

    // Staging and unstaging are write access to the watched directory and all that follows from it: a file of the same name replaces
    // what runs, so asking for apply or revert as well would protect nothing. To end quarantine is to vouch for a patch, as to confirm is.
    private static readonly Dictionary<(string Interface, string Method), Func<BusCall, IReadOnlyList<string>>> Rows = new()
    {
        [(BusNames.Manager, "ListPatches")] = Everybody,
        [(BusNames.Manager, "Plan")] = Everybody,
        [(BusNames.Manager, "History")] = Everybody,
        [(BusNames.Manager, "Blocking")] = Everybody,
        // What dmesg_restrict and hidepid keep from everybody: lines of the kernel's log, and other users' tasks.
        [(BusNames.Manager, "BlockingTasks")] = static _ => [PolkitActions.Details],
        [(BusNames.Manager, "Evidence")] = static _ => [PolkitActions.Details],
        [(BusNames.Manager, "Apply")] = static call => [PolkitActions.Apply, .. OfOptions(call)],
        [(BusNames.Manager, "Revert")] = static call => [PolkitActions.Revert, .. OfOptions(call)],
        [(BusNames.Manager, "Stage")] = static _ => [PolkitActions.Stage],
        [(BusNames.Manager, "StageFiles")] = static _ => [PolkitActions.Stage],
        // A copy of the file and a look at the kernel's symbols, on the thread that loads: not for everybody to ask for.
        [(BusNames.Manager, "PlanFile")] = static _ => [PolkitActions.Stage],
        [(BusNames.Manager, "Unstage")] = static _ => [PolkitActions.Stage],
        [(BusNames.Manager, "Confirm")] = static _ => [PolkitActions.Confirm],
        [(BusNames.Manager, "Release")] = static _ => [PolkitActions.Confirm],
        [(BusNames.Manager, "Hold")] = static _ => [PolkitActions.Hold],
        [(BusNames.Manager, "Unhold")] = static _ => [PolkitActions.Hold],
        [(BusNames.Manager, "Inhibit")] = static _ => [PolkitActions.Hold],
        [(BusNames.Manager, "Force")] = static _ => [PolkitActions.Force],
        [(BusNames.Manager, "Reload")] = static _ => [PolkitActions.Reload],
        // Changes nothing, but shows the kernel's log, which most hosts keep from everybody but root.
        [(BusNames.Manager, "Diagnose")] = static _ => [PolkitActions.Diagnose],
        [(BusNames.Job, "Cancel")] = OfTheOpposite,
    };

    // Any value but a plain false asks for it: what a handler will make of another type is not this table's to guess.
    private static readonly Dictionary<string, string> Options = new(StringComparer.Ordinal)
    {
        ["override-gates"] = PolkitActions.OverrideGates,
        ["downgrade"] = PolkitActions.Downgrade,
    };

    public static IEnumerable<(string Interface, string Method)> Methods => Rows.Keys;

    public static bool IsForEverybody(string iface, string method) => Row(iface, method) == Everybody;

    /// <summary>The actions that this very call takes, all of them; reads the arguments, which the handler then reads again.</summary>
    public static IReadOnlyList<string> ActionsOf(BusCall call) => Row(call.Interface, call.Member)(call);

    private static Func<BusCall, IReadOnlyList<string>> Row(string iface, string method) =>
        Rows.TryGetValue((iface, method), out var row) ? row : throw new InvalidOperationException($"{iface}.{method} has no row in the access table.");

    private static IEnumerable<string> OfOptions(BusCall call)
    {
        _ = call.Reader.ReadString();
        return call.Reader.ReadOptions().Where(o => o.Value is not false && Options.ContainsKey(o.Key)).Select(o => Options[o.Key]);
    }

    /// <summary>To cancel a request is to ask for the opposite.</summary>
    private static IReadOnlyList<string> OfTheOpposite(BusCall call) =>
        [((Node<JobView>)call.State!).View.Kind == "apply" ? PolkitActions.Revert : PolkitActions.Apply];
}
