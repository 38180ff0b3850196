// What the loop counts, and what is read from the snapshot that was published last.
using LivePatchd.Core.Lifecycle;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Health;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Metrics;

namespace LivePatchd.Tests.Metrics;

public sealed class DaemonMeterTests : IDisposable
{
    private readonly Bench bench = new();

    public void Dispose() => bench.Dispose();

    private double? Value(string name, string labels = "") => bench.Meter.Value(name, labels);

    [Fact]
    public void Read_BeforeTheFirstLook_EveryCounterAtZero()
    {
        foreach (var operation in new[] { "apply", "revert" })
        {
            foreach (var result in new[] { "done", "failed", "reversed" })
                Assert.Equal(0, Value("livepatchd_transitions_total", $"operation={operation},result={result}"));
            Assert.Equal(0, Value("livepatchd_transition_duration_seconds_count", $"operation={operation}"));
            Assert.Equal(0, Value("livepatchd_transition_duration_seconds_bucket", $"operation={operation},le=+Inf"));
        }
        foreach (var gate in Enum.GetValues<Gate>())
            Assert.Equal(0, Value("livepatchd_gate_holds_total", $"gate={gate.Word()}"));
        Assert.Equal(0, Value("livepatchd_load_duration_seconds_count"));
        Assert.Equal(0, Value("livepatchd_deferral_exhausted_total"));
        Assert.Equal(0, Value("livepatchd_kernel_warnings_after_load_total"));
        Assert.Equal(0, Value("livepatchd_oldest_pending_seconds"));
        Assert.Equal(0, Value("livepatchd_reconcile_last_success_timestamp_seconds"));
        Assert.Equal(1, Value("livepatchd_config_last_reload_successful"));
        Assert.Equal(1, Value("livepatchd_info", "version=1"));
    }

    [Fact]
    public void Publish_Snapshot_PatchesByState()
    {
        bench.Meter.Instruments.Publish(Views.Snapshot(Views.Patch(Given.One, PatchState.Active), Views.Patch(Given.Two, PatchState.Quarantined) with { Reason = Reason.KernelOops }));
        Assert.Equal(1, Value("livepatchd_patches", "state=active"));
        Assert.Equal(1, Value("livepatchd_patches", "state=quarantined"));
        Assert.Equal(2, bench.Meter.Count("livepatchd_patches"));
        Assert.Equal(1, Value("livepatchd_patch_state", "patch=lp_one,state=active"));
        Assert.Equal(1, Value("livepatchd_patch_state", "patch=lp_two,state=quarantined"));
        Assert.Equal(1, Value("livepatchd_patch_reason", "patch=lp_two,reason=kernel-oops"));
        Assert.Equal(1, bench.Meter.Count("livepatchd_patch_reason"));
        Assert.Equal((Given.Now.Wall - DateTimeOffset.UnixEpoch).TotalSeconds, Value("livepatchd_reconcile_last_success_timestamp_seconds"));
    }

    [Fact]
    public void PatchInfo_StateChanges_SameSeries()
    {
        var patch = Views.Patch(Given.One, PatchState.Staged) with { Version = "1.2" };
        string Info(PatchState state)
        {
            bench.Meter.Instruments.Publish(Views.Snapshot(patch with { State = state, Reason = state is PatchState.Held ? Reason.LoadTooHigh : null }));
            return Assert.Single(bench.Meter.Series, static l => l.StartsWith("livepatchd_patch_info", StringComparison.Ordinal));
        }
        Assert.Equal($"livepatchd_patch_info{{patch=\"lp_one\",sha256=\"{Given.Digest.Hex[..12]}\",version=\"1.2\"}} 1", Info(PatchState.Staged));
        Assert.Single(Enum.GetValues<PatchState>().Select(Info).Distinct());
    }

    [Fact]
    public void State_HostThatDoesNotAct_WithItsReason()
    {
        var running = Views.Snapshot();
        bench.Meter.Instruments.Publish(running);
        Assert.Equal(1, Value("livepatchd_state", "state=running"));
        bench.Meter.Instruments.Publish(running with
        {
            Host = running.Host with { State = "observing", Reason = Reason.CrashLoop, Conditions = [new(Reason.CrashLoop, ""), new(Reason.DirectoryUnreadable, "/a"), new(Reason.DirectoryUnreadable, "/b")] },
        });
        Assert.Null(Value("livepatchd_state", "state=running"));
        Assert.Equal(1, Value("livepatchd_state", "state=observing,reason=crash-loop"));
        Assert.Equal(1, Value("livepatchd_host_condition", "reason=directory-unreadable"));
        Assert.Equal(2, Value("livepatchd_directories_unreadable"));
    }

    [Fact]
    public void OldestPending_OnlyThoseThatWait_ByTheClockThatNobodySets()
    {
        bench.Meter.Instruments.Publish(Views.Snapshot(
            Views.Patch(Given.One, PatchState.Held, -5) with { PendingSince = Given.At(-60) }, Views.Patch(Given.Two, PatchState.Active, -600),
            Views.Patch(PatchName.Parse("lp_three"), PatchState.Staged, -30) with { PendingSince = Given.At(-30) }));
        Assert.Equal(60, Value("livepatchd_oldest_pending_seconds"));
        bench.Time.Skip(TimeSpan.FromSeconds(5));
        Assert.Equal(65, Value("livepatchd_oldest_pending_seconds"));
        Assert.Equal((Given.At(-60).Wall - DateTimeOffset.UnixEpoch).TotalSeconds, Value("livepatchd_patch_pending_since_timestamp_seconds", "patch=lp_one"));
        Assert.Null(Value("livepatchd_patch_pending_since_timestamp_seconds", "patch=lp_two"));
    }

    [Fact]
    public void Publish_Evidence_PatchesByGrade()
    {
        bench.Meter.Instruments.Publish(Views.Snapshot(Views.Patch(Given.One, PatchState.Held) with { Grade = EvidenceGrade.Suspect }, Views.Patch(Given.Two, PatchState.Active)));
        Assert.Equal(1, Value("livepatchd_patches_under_evidence", "grade=suspect"));
        Assert.Null(Value("livepatchd_patches_under_evidence", "grade=attributed"));
    }

    [Theory]
    [InlineData(OperationResult.Done, "done")]
    [InlineData(OperationResult.Failed, "failed")]
    [InlineData(OperationResult.Reversed, "reversed")]
    public void TransitionEnded_EachResult_ByItsWord(OperationResult result, string word)
    {
        bench.Meter.Instruments.TransitionEnded(new Effect.Finish(Operation.Apply, result), TimeSpan.FromSeconds(2));
        bench.Meter.Instruments.TransitionEnded(new Effect.Finish(Operation.Revert, result), null);
        Assert.Equal(1, Value("livepatchd_transitions_total", $"operation=apply,result={word}"));
        Assert.Equal(1, Value("livepatchd_transitions_total", $"operation=revert,result={word}"));
        Assert.Equal((1, 2), (Value("livepatchd_transition_duration_seconds_count", "operation=apply"), Value("livepatchd_transition_duration_seconds_sum", "operation=apply")));
        Assert.Equal(0, Value("livepatchd_transition_duration_seconds_count", "operation=revert"));
        Assert.Equal((0, 1), (Value("livepatchd_transition_duration_seconds_bucket", "operation=apply,le=0.5"), Value("livepatchd_transition_duration_seconds_bucket", "operation=apply,le=5")));
        Assert.Equal((bench.Now.Wall - DateTimeOffset.UnixEpoch).TotalSeconds, Value("livepatchd_last_transition_timestamp_seconds", $"operation=apply,result={word}"));
    }

    [Fact]
    public void LastTransition_OfTheProcessBefore_FromTheHistory()
    {
        bench.Meter.Instruments.Publish(Views.Snapshot() with { History = [Views.Entry(Given.One, OperationResult.Reversed, Given.Now.Wall)] });
        var ended = (Given.Now.Wall - DateTimeOffset.UnixEpoch).TotalSeconds + Views.LoadSeconds + Views.TransitionSeconds;
        Assert.Equal(ended, Value("livepatchd_last_transition_timestamp_seconds", "operation=apply,result=reversed"));
        bench.Time.Skip(TimeSpan.FromHours(1));
        bench.Meter.Instruments.TransitionEnded(new Effect.Finish(Operation.Apply, OperationResult.Reversed), null);
        Assert.Equal((bench.Now.Wall - DateTimeOffset.UnixEpoch).TotalSeconds, Value("livepatchd_last_transition_timestamp_seconds", "operation=apply,result=reversed"));
    }

    [Fact]
    public void HeldBy_Gate_ByItsWord()
    {
        bench.Meter.Instruments.HeldBy(Gate.IoPressure);
        Assert.Equal(1, Value("livepatchd_gate_holds_total", "gate=" + Gate.IoPressure.Word()));
    }

    [Fact]
    public void Publish_PatchIsGone_ItsSeriesToo()
    {
        bench.Meter.Instruments.Publish(Views.Snapshot(Views.Patch(Given.One, PatchState.Quarantined)));
        bench.Meter.Instruments.Publish(Views.Snapshot());
        Assert.Equal(0, bench.Meter.Count("livepatchd_patches"));
        Assert.Equal(0, bench.Meter.Count("livepatchd_patch_info"));
    }

    [Fact]
    public void Gates_NobodyWaits_NoFigures()
    {
        var calm = Views.Snapshot(Views.Patch(Given.One, PatchState.Active)) with { Gates = Views.Gates() };
        bench.Meter.Instruments.Publish(calm);
        Assert.Equal(5, bench.Meter.Count("livepatchd_gate_open"));
        Assert.Equal(0, bench.Meter.Count("livepatchd_gate_value"));
        bench.Meter.Instruments.Publish(calm with { Patches = [Views.Patch(Given.One, PatchState.Held) with { PendingSince = Given.Now }] });
        Assert.Equal(5, bench.Meter.Count("livepatchd_gate_value"));
        bench.Meter.Instruments.Publish(calm with { Gates = Views.Gates(Gate.IoPressure) });
        Assert.Equal(0, Value("livepatchd_gate_open", "gate=io-pressure"));
        Assert.Equal(1, Value("livepatchd_gate_open", "gate=load"));
        Assert.Equal(0.2, Value("livepatchd_gate_close_mark", "gate=io-pressure"));
        bench.Meter.Instruments.Publish(calm with { Gates = Views.Gates(Gate.Hold) with { Hold = new StandingHold("audit", 0, Given.Now, null) } });
        Assert.Equal(0, Value("livepatchd_gate_open", "gate=hold"));
        Assert.Equal((Given.Now.Wall - DateTimeOffset.UnixEpoch).TotalSeconds, Value("livepatchd_hold_since_timestamp_seconds"));
    }

    [Theory]
    [InlineData(PatchState.Active, "match", "daemon", true)]
    [InlineData(PatchState.Soaking, "unknown", "daemon", true)]
    [InlineData(PatchState.Active, "differs", "daemon", false)]
    [InlineData(PatchState.Active, "unknown", "adopted", false)]
    [InlineData(PatchState.Transitioning, "match", "daemon", false)]
    [InlineData(PatchState.Superseded, "match", "daemon", false)]
    [InlineData(PatchState.Forced, "match", "daemon", false)]
    public void CveFixed_OnlyWhatIsProved(PatchState state, string identity, string origin, bool shown)
    {
        bench.Meter.Instruments.Publish(Views.Snapshot(Views.InForce(Given.One, 1) with { State = state, Identity = identity, Origin = origin, Cves = ["CVE-2025-1", "CVE-2024-2"] }));
        Assert.Equal(shown ? 1 : null, Value("livepatchd_cve_fixed", "cve=CVE-2025-1"));
        Assert.Equal(shown ? 2 : null, Value("livepatchd_cves_fixed"));
    }

    [Fact]
    public void CveFixed_MoreThanThereIsRoomFor_TheNewestAndHowMany()
    {
        bench.Meter.Instruments.Publish(Views.Snapshot(Views.InForce(Given.One, 1) with { Cves = [.. Enumerable.Range(0, 200).Select(static i => $"CVE-20{i % 10 + 16}-{i + 900}")] }));
        Assert.Equal(200, Value("livepatchd_cves_fixed"));
        Assert.Equal(SeriesTable.MaxCves, bench.Meter.Count("livepatchd_cve_fixed"));
        // Of each of ten years there are twenty.
        Assert.Equal(20, bench.Meter.Series.Count(static l => l.StartsWith("livepatchd_cve_fixed{cve=\"CVE-2025-", StringComparison.Ordinal)));
        Assert.Equal(0, bench.Meter.Series.Count(static l => l.StartsWith("livepatchd_cve_fixed{cve=\"CVE-2016-", StringComparison.Ordinal)));
    }
}
