// One property of a published view: how it is written, and whether it differs between two views.
using LivePatchd.Bus;

namespace LivePatchd.Control;

/// <summary>A view held for the bus thread; replaced there, and only there.</summary>
internal sealed class Node<TView>(TView view)
{
    public TView View { get; set; } = view;
}

internal sealed record ServedProperty<TView>(
    string Name, string Signature, Action<BusWriter, TView> Write, Func<TView, TView, bool> Same, bool Constant = false)
{
    /// <summary>False for what changes all the time and tells nobody anything by it.</summary>
    public bool Announced { get; init; } = true;

    public BusProperty Declare() => new(
        Name, Signature, (writer, state) => Write(writer, ((Node<TView>)state!).View),
        Constant ? BusPropertyChange.Constant : Announced ? BusPropertyChange.EmitsChange : BusPropertyChange.NotAnnounced);

    public static ServedProperty<TView> Text(string name, Func<TView, string> get, bool constant = false) =>
        new(name, "s", (w, v) => w.WriteString(get(v)), (a, b) => get(a) == get(b), constant);

    public static ServedProperty<TView> UInt64(string name, Func<TView, ulong> get) =>
        new(name, "t", (w, v) => w.WriteUInt64(get(v)), (a, b) => get(a) == get(b));

    public static ServedProperty<TView> UInt32(string name, Func<TView, uint> get, bool constant = false) =>
        new(name, "u", (w, v) => w.WriteUInt32(get(v)), (a, b) => get(a) == get(b), constant);

    public static ServedProperty<TView> Int32(string name, Func<TView, int> get) =>
        new(name, "i", (w, v) => w.WriteInt32(get(v)), (a, b) => get(a) == get(b));

    public static ServedProperty<TView> Bool(string name, Func<TView, bool> get) =>
        new(name, "b", (w, v) => w.WriteBool(get(v)), (a, b) => get(a) == get(b));

    public static ServedProperty<TView> Texts(string name, Func<TView, IEnumerable<string>> get) =>
        new(name, "as", (w, v) => w.WriteStrings(get(v)), (a, b) => get(a).SequenceEqual(get(b)));

    public static ServedProperty<TView> Pairs(string name, Func<TView, IEnumerable<(string, string)>> get) =>
        new(name, "a(ss)", (w, v) => Wire.Pairs(w, get(v)), (a, b) => get(a).SequenceEqual(get(b)));
}

internal static class ServedProperties
{
    public static string[] Changed<TView>(this IEnumerable<ServedProperty<TView>> properties, TView before, TView after) =>
        [.. properties.Where(p => p is { Constant: false, Announced: true } && !p.Same(before, after)).Select(p => p.Name)];
}
