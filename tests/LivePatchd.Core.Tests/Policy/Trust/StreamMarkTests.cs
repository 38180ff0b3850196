// Which marks of a stream count against a patch, and which are somebody else's.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Trust;
using LivePatchd.Core.Recovery;
using LivePatchd.Core.Tests.Planning;

namespace LivePatchd.Core.Tests.Policy.Trust;

public sealed class StreamMarkTests
{
    private static readonly PatchName A = PatchName.Parse("lp_a");

    private readonly ModelHost host = new() { TrustedKeys = ["key1"], Trust = TrustSettings.Default with { Require = TrustRequirement.ManifestSignature } };

    [Fact]
    public void The_running_build_may_lose_its_stream_and_a_patch_of_none_never_had_one()
    {
        Settle(Streams.File("lp_a", 2, "core", 2));
        Assert.Null(Settle(Pinned(Streams.File("lp_a", 2, null, null))));
        Assert.Null(Settle(Pinned(Streams.File("lp_b", 1, null, null))));
        Assert.Equal(2, host.Kernel.Active.Count());
        Assert.Equal(Reason.Rollback, Settle(Pinned(Streams.File("lp_a", 3, null, null))));
    }

    [Fact]
    public void A_mark_of_another_kernel_release_does_not_count()
    {
        Raise("6.99.0", 9, "key1");
        Assert.Null(Settle(Streams.File("lp_a", 1, "core", 1)));
        Assert.Equal([A], host.Kernel.Active);
    }

    [Fact]
    public void A_mark_of_the_same_release_does()
    {
        Raise(Streams.File("lp_a", 1, null, null).Module.Info.KernelRelease, 9, "key1");
        Assert.Equal(Reason.Rollback, Settle(Streams.File("lp_a", 1, "core", 1)));
        Assert.Empty(host.Kernel.Active);
    }

    [Fact]
    public void Where_no_signature_is_asked_for_unsigned_manifests_have_marks_too()
    {
        host.Trust = TrustSettings.Default;
        Assert.Null(Settle(Streams.File("lp_a", 2, "core", 2, key: "")));
        Assert.Equal(new StreamId(Streams.File("lp_a", 2, null, null).Module.Info.KernelRelease, "core", ""), Assert.Single(host.Ledger.Marks).Key);
        Assert.Equal(Reason.Rollback, Settle(Streams.File("lp_a", 1, "core", 1, key: "")));
    }

    [Fact]
    public void A_manifest_that_pins_the_running_build_sets_the_mark_once()
    {
        Assert.Null(Settle(Pinned(Streams.File("lp_a", 1, "core", 5))));
        Assert.Equal(5, Assert.Single(host.Ledger.Marks).Value.Sequence);
        Assert.Null(Settle(Pinned(Streams.File("lp_b", 1, "core", 5))));
        var mark = Assert.Single(host.Ledger.Marks).Value;
        Assert.Equal((5, 2), (mark.Sequence, mark.Builds.Count));
    }

    [Fact]
    public void Half_a_stream_is_none()
    {
        Assert.Null(HighWater.Of(Streams.File("lp_a", 1, "core", null)));
        Assert.Null(HighWater.Of(Streams.File("lp_a", 1, null, 1)));
        Assert.Null(HighWater.Of(ModelHost.File("lp_a", 1)));
    }

    private static WantedPatch Pinned(WantedPatch file) => file with { Manifest = file.Manifest! with { Sha256 = file.Module.Digest } };

    private void Raise(string release, int sequence, string key)
    {
        var mark = new StreamMark(new StreamId(release, "core", key), sequence);
        host.Record(new JournalRecord(RecordKind.MarkRaised, A, "", default, ModelHost.Digest("lp_a", 9)) { Mark = mark });
    }

    /// <summary>Why it is not let in; null when it is.</summary>
    private Reason? Settle(WantedPatch file)
    {
        host.Files[file.Name.Value] = file;
        var plan = host.Tick();
        for (var quiet = 0; quiet < 4; quiet = plan.Steps.IsEmpty ? quiet + 1 : 0)
        {
            host.Kernel.Complete();
            host.Kernel.Free();
            plan = host.Tick();
        }
        Assert.Empty(host.Violations);
        return plan.Verdicts.Single(v => v.Name == file.Name).Reason;
    }
}
