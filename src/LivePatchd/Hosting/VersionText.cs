// The version that every surface shows: the assembly's, as the build set it.
using System.Reflection;

namespace LivePatchd.Hosting;

internal static class VersionText
{
    public static string Value { get; } =
        typeof(VersionText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0";
}
