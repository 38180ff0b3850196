// One patch as the fake manager shows it: every property of the contract, settable by a test.
using LivePatchd.Bus;
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Tests;

internal sealed class FakePatch
{
    public static readonly BusInterface Interface = new(
        BusNames.Patch,
        [],
        [
            Text("Name", static p => p.Name),
            Text("Sha256", static p => p.Sha256),
            Text("BuildId", static p => p.BuildId),
            Text("Identity", static p => p.Identity),
            Text("KernelRelease", static p => p.KernelRelease),
            Text("State", static p => p.State),
            Text("Reason", static p => p.Reason),
            Text("Detail", static p => p.Detail),
            Text("Grade", static p => p.Grade),
            Text("Origin", static p => p.Origin),
            Text("File", static p => p.File),
            new("Cves", "as", static (w, p) => w.WriteStrings(((FakePatch)p!).Cves)),
            new("ManifestIgnored", "as", static (w, p) => w.WriteStrings(((FakePatch)p!).ManifestIgnored)),
            Text("Version", static p => p.Version),
            Text("Signer", static p => p.Signer),
            Text("Signature", static p => p.Signature),
            Pairs("Objects", static p => p.Objects),
            Pairs("ObjectStates", static p => p.ObjectStates ?? [.. p.Objects.Select(static o => (o.Item1, o.Item2 switch { "yes" => "patched", "no" => "not-loaded", _ => "unknown" }))]),
            Pairs("Functions", static p => p.Functions),
            Text("Replace", static p => p.Replace),
            new("StackOrder", "i", static (w, p) => w.WriteInt32(((FakePatch)p!).StackOrder)),
            Moment("LoadedSinceUsec", static p => p.LoadedSince),
            Moment("StateSinceUsec", static p => p.StateSince),
            Moment("RetryAtUsec", static p => p.RetryAt),
            Moment("SoakUntilUsec", static p => p.SoakUntil),
            new("Attempts", "u", static (w, p) => w.WriteUInt32(((FakePatch)p!).Attempts)),
            Text("LastError", static p => p.LastError),
            new("Impact", "a{sv}", static (w, _) => w.WriteOptions([])),
        ],
        []);

    public required string Name { get; init; }

    public string State { get; set; } = "active";

    public string Reason { get; set; } = "";

    public string Detail { get; set; } = "";

    public string Sha256 { get; set; } = "";

    public string BuildId { get; set; } = "";

    public string Identity { get; set; } = "";

    public string KernelRelease { get; set; } = FakeDaemon.Kernel;

    public string Grade { get; set; } = "";
    public string Origin { get; set; } = "daemon";

    public string File { get; set; } = "";

    public string[] Cves { get; set; } = [];

    public string Version { get; set; } = "";

    public string Signer { get; set; } = "";

    public string Signature { get; set; } = "unsigned";

    /// <summary>Unless said otherwise, those of a patch that is in the kernel, and none of another.</summary>
    public (string, string)[] Objects
    {
        get => field ?? (State is "transitioning" or "stalled" or "reversing" or "soaking" or "active" or "reverting" or "foreign" or "forced" ? [("vmlinux", "yes")] : []);
        set;
    }

    /// <summary>Null: what <see cref="Objects"/> says.</summary>
    public (string, string)[]? ObjectStates { get; set; }

    public string[] ManifestIgnored { get; set; } = [];

    public (string, string)[] Functions { get; set; } = [];

    public string Replace { get; set; } = "unknown";

    public int StackOrder { get; set; } = -1;

    public DateTimeOffset? LoadedSince { get; set; }

    public DateTimeOffset? StateSince { get; set; }

    public DateTimeOffset? SoakUntil { get; set; }

    public DateTimeOffset? RetryAt { get; set; }

    public uint Attempts { get; set; }

    public string LastError { get; set; } = "";

    public string Path => BusPath.Encode(BusNames.PatchPrefix, Name);

    internal static ulong Microseconds(DateTimeOffset? time) =>
        time is { } at ? (ulong)((at - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond) : 0;

    private static BusProperty Text(string name, Func<FakePatch, string> get) => new(name, "s", (w, p) => w.WriteString(get((FakePatch)p!)));

    private static BusProperty Moment(string name, Func<FakePatch, DateTimeOffset?> get) =>
        new(name, "t", (w, p) => w.WriteUInt64(Microseconds(get((FakePatch)p!))));

    private static BusProperty Pairs(string name, Func<FakePatch, (string, string)[]> get) =>
        new(name, "a(ss)", (w, p) => w.WriteArray("(ss)", get((FakePatch)p!), static (w, pair) => w.WriteStruct("ss", f =>
        {
            f.WriteString(pair.Item1);
            f.WriteString(pair.Item2);
        })));
}
