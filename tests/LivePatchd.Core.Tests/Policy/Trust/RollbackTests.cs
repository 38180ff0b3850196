// Rollback, freeze, mix-and-match and fast-forward, case by case: each is refused with its reason, and the way back is an operator's alone.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Recovery;
using LivePatchd.Core.Tests.Planning;

namespace LivePatchd.Core.Tests.Policy.Trust;

public sealed class RollbackTests
{
    private static readonly PatchName A = PatchName.Parse("lp_a");
    private static readonly PatchName B = PatchName.Parse("lp_b");

    private readonly ModelHost host = new() { TrustedKeys = ["key1"], Trust = TrustSettings.Default with { Require = TrustRequirement.ManifestSignature } };

    [Fact]
    public void An_older_cumulative_patch_under_another_name()
    {
        Active(Streams.File("lp_b", 2, "core", 2));
        Assert.Equal(Reason.Rollback, Refused(Streams.File("lp_a", 1, "core", 1)));
    }

    [Fact]
    public void An_older_build_of_the_same_name()
    {
        Active(Streams.File("lp_a", 2, "core", 2));
        Assert.Equal(Reason.Rollback, Refused(Streams.File("lp_a", 1, "core", 1)));
    }

    [Fact]
    public void An_older_build_does_not_take_out_the_newer_one_that_runs()
    {
        Active(Streams.File("lp_a", 2, "core", 2));
        host.Files["lp_a"] = Streams.File("lp_a", 1, "core", 1);
        var plan = Settle();
        Assert.Empty(plan.Steps);
        Assert.Equal(Reason.Rollback, Verdict(plan, A).Reason);
        Assert.Contains(A, host.Kernel.Active);
        Assert.Equal(ModelHost.Build("lp_a", 2), host.Kernel.BuildOf(A));
    }

    [Fact]
    public void An_old_manifest_of_the_newest_module()
    {
        Active(Streams.File("lp_a", 2, "core", 2));
        host.Files.Clear();
        Settle();
        Assert.Equal(Reason.Rollback, Refused(Streams.File("lp_a", 2, "core", 1)));
    }

    [Fact]
    public void Another_build_with_a_sequence_that_was_used()
    {
        Active(Streams.File("lp_a", 2, "core", 2));
        Assert.Equal(Reason.Rollback, Refused(Streams.File("lp_a", 3, "core", 2)));
    }

    [Fact]
    public void A_frozen_set_past_its_end()
    {
        var file = Streams.With(ModelHost.File("lp_a", 1), Streams.Manifest("core", 1) with { NotAfter = host.Now.Wall.AddDays(-1) });
        Assert.Equal(Reason.Expired, Refused(file));
    }

    [Fact]
    public void A_patch_of_set_one_beside_one_of_set_two()
    {
        host.Files["lp_a"] = Streams.File("lp_a", 1, "core", 1);
        host.Files["lp_b"] = Streams.File("lp_b", 2, "core", 2);
        Assert.Equal(Reason.MixedSets, Verdict(host.Tick(), A).Reason);
        Settle();
        Assert.Equal([B], host.Kernel.Active);
    }

    [Fact]
    public void A_patch_of_set_one_after_set_two_was_active()
    {
        Active(Streams.File("lp_b", 2, "core", 2));
        host.Files["lp_a"] = Streams.File("lp_a", 1, "core", 1);
        Settle();
        Assert.Equal([B], host.Kernel.Active);
    }

    [Fact]
    public void The_module_of_set_one_with_the_manifest_of_set_two()
    {
        var file = Streams.With(ModelHost.File("lp_a", 1), Streams.Manifest("core", 2) with { Sha256 = ModelHost.Digest("lp_a", 2) });
        Assert.Equal(Reason.ManifestMismatch, Refused(file));
    }

    [Fact]
    public void A_jump_that_would_end_the_stream()
    {
        Active(Streams.File("lp_a", 1, "core", 1));
        Assert.Equal(Reason.FastForward, Refused(Streams.File("lp_b", 2, "core", 999_999_999)));
    }

    [Fact]
    public void A_replay_under_the_old_key_while_both_keys_are_trusted()
    {
        host.TrustedKeys = ["key1", "key2"];
        Active(Streams.File("lp_a", 5, "core", 5, "key1"));
        Active(Streams.File("lp_a", 7, "core", 7, "key2"));
        Assert.Equal(Reason.Rollback, Refused(Streams.File("lp_a", 6, "core", 6, "key1")));
    }

    [Fact]
    public void A_manifest_without_its_stream()
    {
        Active(Streams.File("lp_a", 2, "core", 2));
        Assert.Equal(Reason.Rollback, Refused(Streams.File("lp_a", 1, null, null)));
    }

    [Theory]
    [InlineData("core", "other")]
    [InlineData("other", "core")]
    public void A_manifest_with_another_stream(string was, string now)
    {
        Active(Streams.File("lp_a", 2, was, 2));
        Assert.Equal(Reason.Rollback, Refused(Streams.File("lp_a", 1, now, 1)));
        Assert.Equal(Reason.Rollback, Refused(Streams.File("lp_a", 3, now, 900)));
    }

    [Fact]
    public void The_next_builds_manifest_beside_the_running_one_moves_no_mark()
    {
        Active(Streams.File("lp_a", 2, "core", 2));
        var next = Streams.With(ModelHost.File("lp_a", 3), Streams.Manifest("core", 3) with { Sha256 = ModelHost.Digest("lp_a", 3) });
        host.Files["lp_a"] = Streams.With(ModelHost.File("lp_a", 2), next.Manifest!);
        Settle();
        Assert.Equal(2, Assert.Single(host.Ledger.Marks).Value.Sequence);
        Active(next);
    }

    [Fact]
    public void A_patch_for_another_kernel()
    {
        var file = Streams.With(ModelHost.File("lp_a", 1), Streams.Manifest("core", 1) with { Kernels = ["6.99.0"] });
        Assert.Equal(Reason.ManifestMismatch, Refused(file));
    }

    [Fact]
    public void A_replay_after_the_directory_was_made_anew_and_the_daemon_restarted()
    {
        Active(Streams.File("lp_a", 2, "core", 2));
        host.Files.Clear();
        Settle();
        host.Restart();
        Assert.Equal(Reason.Rollback, Refused(Streams.File("lp_a", 1, "core", 1)));
    }

    [Fact]
    public void What_goes_forward_is_let_in_and_an_unrelated_stream_is_not_asked()
    {
        Active(Streams.File("lp_a", 2, "core", 2));
        Active(Streams.File("lp_a", 3, "core", 3));
        Active(Streams.File("lp_b", 1, "net", 1));
        Assert.Equal([A, B], host.Kernel.Active.Order());
    }

    [Fact]
    public void A_stream_that_an_abused_key_ran_up_goes_on_under_a_new_key()
    {
        Active(Streams.File("lp_a", 1, "core", 900_000_000, "stolen"), "stolen");
        host.TrustedKeys = ["key2"];
        Active(Streams.File("lp_a", 2, "core", 2, "key2"), "key2");
        Assert.Equal(ModelHost.Build("lp_a", 2), host.Kernel.BuildOf(A));
    }

    [Fact]
    public void An_unsigned_manifest_moves_no_mark_where_signatures_are_asked_for()
    {
        host.Trust = TrustSettings.Default;
        Active(Streams.File("lp_a", 9, "core", 9, key: ""));
        host.Trust = host.Trust with { Require = TrustRequirement.ManifestSignature };
        Active(Streams.File("lp_b", 1, "core", 1));
        Assert.Contains(B, host.Kernel.Active);
    }

    [Fact]
    public void An_operator_goes_back_on_purpose_for_these_bytes_and_until_the_next_step_forward()
    {
        Active(Streams.File("lp_a", 2, "core", 2));
        var older = Streams.File("lp_a", 1, "core", 1);
        host.Files["lp_a"] = older;
        host.Record(new JournalRecord(RecordKind.OperatorApplied, A, "", default, older.Module.Digest) { Downgrade = true, Mark = Core.Policy.Trust.HighWater.Of(older) });
        Settle();
        Assert.Equal(ModelHost.Build("lp_a", 1), host.Kernel.BuildOf(A));
        host.Restart();
        Assert.Contains(older.Module.Digest, host.Ledger.Downgrades.Keys);

        Active(Streams.File("lp_a", 3, "core", 3));
        Assert.Empty(host.Ledger.Downgrades);
        Assert.Equal(Reason.Rollback, Refused(older));
    }

    [Fact]
    public void Marks_survive_compaction_in_another_boot_and_only_the_newest_are_kept()
    {
        JournalRecord Raised(int sequence) => new(RecordKind.MarkRaised, A, "old", default, ModelHost.Digest("lp_a", sequence))
        {
            Mark = new StreamMark(new StreamId("6.12.0", "core", "key1"), sequence),
        };
        var kept = Compaction.Keep([Raised(1), Raised(2), Raised(3)], "new");
        Assert.Equal(3, Assert.Single(kept).Mark!.Sequence);
        var read = JournalCodec.Decode([.. System.Text.Encoding.ASCII.GetBytes(JournalCodec.VersionLine), .. JournalCodec.Encode(kept[0])]);
        Assert.Equal(kept[0], Assert.Single(read.Records));
        Assert.Equal(3, Assert.Single(LedgerFold.Replay(read.Records, "new").Marks).Value.Sequence);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Patches_that_exclude_each_other_are_not_both_let_in(bool other)
    {
        var (name, says) = other ? ("lp_b", A) : ("lp_a", B);
        Active(ModelHost.File("lp_b", 1));
        host.Files["lp_a"] = ModelHost.File("lp_a", 1);
        host.Files[name] = host.Files[name] with { Manifest = Streams.Manifest() with { Conflicts = [says] } };
        var plan = Settle();
        Assert.Equal(Reason.ConflictingPatch, Verdict(plan, A).Reason);
        Assert.Equal([B], host.Kernel.Active);

        host.Record(RecordKind.OperatorReverted, B);
        Settle();
        Assert.Equal([A], host.Kernel.Active);
    }

    [Fact]
    public void A_denied_patch_of_ours_is_taken_out_and_a_foreign_one_is_not_touched()
    {
        Active(ModelHost.File("lp_a", 1));
        host.Denied = [ModelHost.Digest("lp_a", 1)];
        host.GatesClosed = true;
        var plan = host.Tick();
        Assert.Empty(plan.Steps);
        Assert.Equal(Reason.IoPressure, Verdict(plan, A).Reason);
        host.GatesClosed = false;
        Assert.Equal(Reason.Denied, Assert.IsType<PlanStep.Disable>(host.Tick().Steps[0]).Why);
        host.Files.Clear(); // The scan refuses the file.
        Settle();
        Assert.Empty(host.Kernel.Active);
    }

    [Fact]
    public void Functions_are_held_against_what_the_file_says()
    {
        var file = ModelHost.File("lp_a", 1);
        file = file with
        {
            Module = file.Module with
            {
                Footprint = new(new(Core.Elf.PatchTablesSource.KpatchBuild, [new("vmlinux", [new("one", 0), new("two", 0)], default)], null, []), []),
            },
        };
        WantedPatch Listing(params string[] functions) => file with { Manifest = Streams.Manifest() with { Functions = [.. functions] } };
        Assert.Equal(Reason.ManifestMismatch, Refused(Listing("one")));
        Assert.Equal(Reason.ManifestMismatch, Refused(Listing("one", "two", "three")));
        Active(Listing("two", "one"));
        Assert.Equal([A], host.Kernel.Active);
    }

    [Fact]
    public void Functions_are_not_judged_where_the_file_does_not_tell()
    {
        var file = ModelHost.File("lp_a", 1);
        Active(file with { Manifest = Streams.Manifest() with { Functions = ["one"] } });
        Assert.Equal([A], host.Kernel.Active);
    }

    private void Active(WantedPatch file, string? alsoTrusted = null)
    {
        if (alsoTrusted is not null)
            host.TrustedKeys = host.TrustedKeys.Add(alsoTrusted);
        host.Files[file.Name.Value] = file;
        Settle();
        Assert.Equal(file.Module.BuildId, host.Kernel.BuildOf(file.Name));
        Assert.Contains(file.Name, host.Kernel.Active);
    }

    /// <summary>Put in place of all others, with nothing in the kernel.</summary>
    private Reason? Refused(WantedPatch file)
    {
        host.Files.Clear();
        Settle();
        Assert.Empty(host.Kernel.Active);
        host.Files[file.Name.Value] = file;
        var plan = Settle();
        Assert.Empty(host.Kernel.Active);
        Assert.Equal(PatchState.Rejected, host.Lives[file.Name].State);
        return Verdict(plan, file.Name).Reason;
    }

    private static Verdict Verdict(Plan plan, PatchName name) => plan.Verdicts.Single(v => v.Name == name);

    private Plan Settle()
    {
        Plan plan = host.Tick();
        for (var quiet = 0; quiet < 4; quiet = plan.Steps.IsEmpty ? quiet + 1 : 0)
        {
            host.Kernel.Complete();
            host.Kernel.Free();
            plan = host.Tick();
        }
        Assert.Empty(host.Violations);
        return plan;
    }
}
