// A fault is injected for the whole process, so tests that do so run alone.
namespace LivePatchd.Tests;

[CollectionDefinition("faults", DisableParallelization = true)]
public sealed class FaultGroup;

// One program at a time has systemd's name on the shared bus.
[CollectionDefinition("systemd")]
public sealed class SystemdGroup;
