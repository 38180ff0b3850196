// Meters have the whole process for their scope, so tests that read metrics run alone.
namespace LivePatchd.EndToEnd.Tests;

[CollectionDefinition("metrics", DisableParallelization = true)]
public sealed class MetricsGroup;
