// Every target, by name: what is fuzzed, and what the replay goes through.
using LivePatchd.Fuzz.Targets;

namespace LivePatchd.Fuzz;

internal static class AllTargets
{
    public static IReadOnlyList<Target> List { get; } =
    [
        .. ModuleTargets.List,
        .. YamlTargets.List,
        .. KernelTextTargets.List,
        .. TaskTextTargets.List,
        .. TracingTextTargets.List,
        .. StateTargets.List,
        .. CompressionTargets.List,
        .. TrustTargets.List,
        .. BusTargets.List,
    ];

    public static Target? Find(string name) => List.FirstOrDefault(t => t.Name == name);
}
