// Builds the native vtable of an interface in memory that is never freed: sd-bus keeps pointers into it.
using System.Runtime.InteropServices;
using System.Text;

namespace LivePatchd.Bus.Native;

internal static unsafe class VtableBuilder
{
    private const nint ParameterNamesGiven = 1;

    internal static nint Build(BusInterface iface)
    {
        var entries = new List<VtableEntry>
        {
            VtableEntry.Of('<', 0, sizeof(VtableEntry), ParameterNamesGiven, SdBus.VtableFormatAddress),
        };
        entries.AddRange(iface.Methods.Select(Method));
        entries.AddRange(iface.Properties.Select(Property));
        entries.AddRange(iface.Signals.Select(Signal));
        entries.Add(VtableEntry.Of('>', 0));

        var table = (VtableEntry*)NativeMemory.AllocZeroed((nuint)entries.Count, (nuint)sizeof(VtableEntry));
        for (var i = 0; i < entries.Count; i++)
        {
            table[i] = entries[i];
        }

        return (nint)table;
    }

    // Every method is marked unprivileged: otherwise sd-bus asks for CAP_SYS_ADMIN by itself, and who may call is the caller's policy, not ours.
    private static VtableEntry Method(BusMethod method) => VtableEntry.Of(
        'M',
        (ulong)method.Flags | VtableEntry.Unprivileged,
        Text(method.Name),
        Text(method.InSignature),
        Text(method.OutSignature),
        (nint)(delegate* unmanaged[Cdecl]<nint, nint, nint, int>)&Dispatch.OnMethod,
        0,
        Names(method.InNames.Concat(method.OutNames)));

    private static VtableEntry Property(BusProperty property) => VtableEntry.Of(
        'P',
        property.Change switch
        {
            BusPropertyChange.Constant => 1UL << 4,
            BusPropertyChange.EmitsChange => 1UL << 5,
            BusPropertyChange.EmitsInvalidation => 1UL << 6,
            _ => 0,
        },
        Text(property.Name),
        Text(property.Signature),
        (nint)(delegate* unmanaged[Cdecl]<nint, nint, nint, nint, nint, nint, nint, int>)&Dispatch.OnGetProperty,
        0,
        0);

    private static VtableEntry Signal(BusSignal signal) =>
        VtableEntry.Of('S', 0, Text(signal.Name), Text(signal.Signature), Names(signal.Names));

    private static nint Text(string text) => Names([text]);

    // NUL-separated and ending in an empty one; for a single text that is a C string with one NUL to spare.
    private static nint Names(IEnumerable<string> names)
    {
        var octets = Encoding.UTF8.GetBytes(string.Concat(names.Select(name => name + "\0")) + "\0");
        var memory = NativeMemory.Alloc((nuint)octets.Length);
        octets.CopyTo(new Span<byte>(memory, octets.Length));
        return (nint)memory;
    }
}
