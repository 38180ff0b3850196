// org.livepatchd1.Patch: one object a patch.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Publish;

namespace LivePatchd.Control;

internal static class PatchInterface
{
    public static IReadOnlyList<ServedProperty<PatchView>> Properties { get; } =
    [
        ServedProperty<PatchView>.Text("Name", v => v.Name.Value, constant: true),
        ServedProperty<PatchView>.Text("Sha256", v => v.Digest?.Hex ?? ""),
        ServedProperty<PatchView>.Text("BuildId", v => v.BuildId?.Hex ?? ""),
        ServedProperty<PatchView>.Text("Identity", v => v.Identity),
        ServedProperty<PatchView>.Text("KernelRelease", v => v.KernelRelease),
        ServedProperty<PatchView>.Text("State", v => v.State.Word()),
        ServedProperty<PatchView>.Text("Reason", v => v.Reason?.Word() ?? ""),
        ServedProperty<PatchView>.Text("Detail", v => v.DetailForEverybody),
        ServedProperty<PatchView>.Text("Grade", v => v.Grade?.Word() ?? ""),
        ServedProperty<PatchView>.Text("Origin", v => v.Origin),
        ServedProperty<PatchView>.Text("File", v => v.File),
        ServedProperty<PatchView>.Text("Version", v => v.Version),
        ServedProperty<PatchView>.Text("Signer", v => v.Signature.Signer),
        ServedProperty<PatchView>.Text("Signature", v => v.Signature.Word),
        ServedProperty<PatchView>.Texts("ManifestIgnored", v => v.ManifestIgnored),
        ServedProperty<PatchView>.Texts("Cves", v => v.Cves),
        ServedProperty<PatchView>.Pairs("Objects", v => v.Objects.Select(o => (o.Name, Wire.Tristate(o.Patched)))),
        ServedProperty<PatchView>.Pairs("ObjectStates", v => v.Objects.Select(o => (o.Name, o.Standing.Word()))),
        ServedProperty<PatchView>.Pairs("Functions", v => v.Objects.SelectMany(o => o.Functions.Select(f => (o.Name, f)))),
        ServedProperty<PatchView>.Text("Replace", v => Wire.Tristate(v.Replace)),
        ServedProperty<PatchView>.Int32("StackOrder", v => v.StackOrder ?? -1),
        ServedProperty<PatchView>.UInt64("LoadedSinceUsec", v => Wire.Usec(v.LoadedSince)),
        ServedProperty<PatchView>.UInt64("StateSinceUsec", v => Wire.Usec(v.StateSince)),
        ServedProperty<PatchView>.UInt64("RetryAtUsec", v => Wire.Usec(v.RetryAt)),
        ServedProperty<PatchView>.UInt64("SoakUntilUsec", v => Wire.Usec(v.SoakUntil)),
        ServedProperty<PatchView>.UInt32("Attempts", v => (uint)v.Attempts),
        ServedProperty<PatchView>.Text("LastError", v => PublicDetail.Of(null, v.LastError)),
        new("Blockers", "a(uusssutus)", WriteBlockers, static (a, b) => a.Blockers.SequenceEqual(b.Blockers)) { Announced = false },
        new("Impact", "a{sv}", static (w, v) => ImpactWire.Write(w, v.Impact), static (a, b) => ReferenceEquals(a.Impact, b.Impact)),
    ];

    public static BusInterface Interface { get; } = new(BusNames.Patch, [], [.. Properties.Select(p => p.Declare())], []);

    public static string PathOf(PatchName name) => BusPath.Encode(BusNames.PatchPrefix, name.Value);

    private static void WriteBlockers(BusWriter writer, PatchView view) =>
        writer.WriteArray("(uusssutus)", view.Blockers.Select(static b => b.ForEverybody), static (w, b) => w.WriteStruct("uusssutus", s =>
        {
            s.WriteUInt32((uint)b.Task.Pid);
            s.WriteUInt32((uint)b.Task.Tid);
            s.WriteString(b.Comm);
            s.WriteString(b.State.ToString());
            s.WriteString(b.Owner ?? "");
            s.WriteUInt32(b.Uid ?? uint.MaxValue);
            s.WriteUInt64((ulong)Math.Max(0, b.BlockedFor.Ticks / TimeSpan.TicksPerMicrosecond));
            s.WriteUInt32((uint)b.AttemptsBlocked);
            s.WriteString(b.PatchedFunction ?? "");
        }));
}
