// What a bundle for people who look for a fault is made of.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux.Kernel;

namespace LivePatchd.Publish;

/// <param name="Shown">As of its own moment: older than the bundle when the loop is in trouble.</param>
/// <param name="JournalRead">How reading the journal went.</param>
internal sealed record Diagnosis(
    DateTimeOffset MadeAt,
    DaemonSnapshot Shown,
    ImmutableArray<ConfigOrigin> Config,
    JournalTail Journal,
    SysResult JournalRead,
    KernelSurvey Kernel,
    SysResult<ImmutableArray<KernelLogRecord>> Log);
