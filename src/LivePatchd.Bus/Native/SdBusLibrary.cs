// Whether libsystemd is there and new enough, asked once, so that its absence is an outcome and not an exception.
using System.Runtime.InteropServices;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace LivePatchd.Bus.Native;

internal static partial class SdBus
{
    internal const string Library = "libsystemd.so.0";

    // The youngest of the functions used here: where it is, all are.
    private const string NewestFunction = nameof(sd_bus_interface_name_is_valid);

    private static readonly Lazy<nint> VtableFormat = new(FindVtableFormat);

    /// <summary>The address of sd_bus_object_vtable_format, which every vtable names (libsystemd 246 and later), or 0.</summary>
    internal static nint VtableFormatAddress => VtableFormat.Value;

    internal static bool IsAvailable => VtableFormatAddress != 0;

    private static nint FindVtableFormat() =>
        NativeLibrary.TryLoad(Library, typeof(SdBus).Assembly, DllImportSearchPath.SafeDirectories, out var library)
        && NativeLibrary.TryGetExport(library, NewestFunction, out _)
        && NativeLibrary.TryGetExport(library, "sd_bus_object_vtable_format", out var address)
            ? address
            : 0;
}
