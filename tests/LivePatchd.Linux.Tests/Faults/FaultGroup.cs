// The hook for failing calls is one for the process: tests that set it take turns.
namespace LivePatchd.Linux.Tests.Faults;

[CollectionDefinition("faults")]
public sealed class FaultGroup;
