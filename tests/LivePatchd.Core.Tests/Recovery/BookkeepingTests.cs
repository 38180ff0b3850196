// What one reading of the kernel teaches the journal, for every state of kernel and ledger.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class BookkeepingTests
{
    private const string Boot = "boot";
    private static readonly PatchName One = PatchName.Parse("lp_one");
    private static readonly PatchName All = PatchName.Parse("lp_all");
    private static readonly Sha256 Digest = Sha256.TryParse(new string('1', 64))!.Value;
    private static readonly Sha256 AllDigest = Sha256.TryParse(new string('a', 64))!.Value;
    private static readonly BuildId Build = BuildId.TryParse("11")!.Value;

    private static Instant At(int second) => new(TimeSpan.FromSeconds(second), DateTimeOffset.UnixEpoch.AddSeconds(second));

    private static JournalRecord Record(RecordKind kind, int second, PatchName? name = null, Sha256? digest = null) =>
        new(kind, name ?? One, Boot, At(second), digest ?? Digest, (name ?? One) == One ? Build : null, $"/p/{name ?? One}.ko");

    private static Ledger After(params JournalRecord[] records) => LedgerFold.Replay(records, Boot);

    private static LoadedPatch Patch(KernelPatchState state, PatchName? name = null, bool? replace = null, BuildId? build = null) => new(
        name ?? One,
        Directory: state is not (KernelPatchState.Unused or KernelPatchState.Pinned or KernelPatchState.NotLoaded),
        Enabled: state is KernelPatchState.Enabling or KernelPatchState.Active,
        Transition: state is KernelPatchState.Enabling or KernelPatchState.Disabling,
        replace, null,
        ModulePresent: state is not KernelPatchState.NotLoaded,
        RefCount: state is KernelPatchState.Unused ? 0 : 1,
        Livepatch: true,
        (name ?? One) == One ? build ?? Build : build,
        []);

    private static ObservedState Seen(params LoadedPatch[] patches) => new(
        new KernelFacts("6.12.0", Boot, true, true, true, false, LockdownLevel.None, false, 0, 0, 0), [.. patches]);

    private static RecordKind? Learned(Ledger ledger, params LoadedPatch[] seen)
    {
        var records = Bookkeeping.Learn(Seen(seen), ledger, busy: null, At(100)).Where(r => r.Name == One).ToList();
        Assert.True(records.Count <= 1);
        if (records.Count == 0)
            return null;
        // What is learned once is not learned again from the same kernel.
        var next = LedgerFold.Apply(ledger, records[0]);
        Assert.DoesNotContain(Bookkeeping.Learn(Seen(seen), next, null, At(100)), r => r.Name == One && r.Kind == records[0].Kind);
        return records[0].Kind;
    }

    [Fact]
    public void A_module_without_a_build_id_is_taken_at_its_name()
    {
        Assert.Null(Learned(After(Active), Patch(KernelPatchState.Active) with { BuildId = null }));
        Assert.Null(Learned(After([.. Active.Select(r => r with { BuildId = null })]), Patch(KernelPatchState.Active)));
    }

    private static JournalRecord[] Intent => [Record(RecordKind.LoadIntent, 1)];

    private static JournalRecord[] Loaded => [.. Intent, Record(RecordKind.Loaded, 2)];

    private static JournalRecord[] Active => [.. Loaded, Record(RecordKind.Activated, 3)];

    private static JournalRecord[] Disabled => [.. Active, Record(RecordKind.DisableIntent, 4)];

    private static JournalRecord[] ByHand => [.. Active, Record(RecordKind.DisabledByHand, 4)];

    public static TheoryData<string, KernelPatchState, RecordKind?> Table { get; } = new()
    {
        { "intent", KernelPatchState.NotLoaded, RecordKind.Abandoned },
        { "intent", KernelPatchState.Enabling, RecordKind.Loaded },
        { "intent", KernelPatchState.Active, RecordKind.Loaded },
        { "intent", KernelPatchState.Disabling, RecordKind.Loaded },
        { "intent", KernelPatchState.Disabled, RecordKind.Loaded },
        { "intent", KernelPatchState.Unused, null },
        { "intent", KernelPatchState.Pinned, null },

        { "loaded", KernelPatchState.Enabling, null },
        { "loaded", KernelPatchState.Active, RecordKind.Activated },
        { "loaded", KernelPatchState.Disabling, null },
        { "loaded", KernelPatchState.Disabled, null },
        { "loaded", KernelPatchState.Unused, RecordKind.DisabledByHand },
        { "loaded", KernelPatchState.Pinned, RecordKind.DisabledByHand },
        { "loaded", KernelPatchState.NotLoaded, RecordKind.DisabledByHand },

        { "active", KernelPatchState.Enabling, null },
        { "active", KernelPatchState.Active, null },
        { "active", KernelPatchState.Disabling, null },
        { "active", KernelPatchState.Disabled, null },
        { "active", KernelPatchState.Unused, RecordKind.DisabledByHand },
        { "active", KernelPatchState.Pinned, RecordKind.DisabledByHand },
        { "active", KernelPatchState.NotLoaded, RecordKind.DisabledByHand },

        { "disabled", KernelPatchState.Enabling, null },
        { "disabled", KernelPatchState.Active, null },
        { "disabled", KernelPatchState.Disabling, null },
        { "disabled", KernelPatchState.Disabled, null },
        { "disabled", KernelPatchState.Unused, null },
        { "disabled", KernelPatchState.Pinned, null },
        { "disabled", KernelPatchState.NotLoaded, RecordKind.Gone },

        { "by hand", KernelPatchState.Unused, null },
        { "by hand", KernelPatchState.NotLoaded, RecordKind.Gone },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void One_look_teaches(string ledger, KernelPatchState kernel, RecordKind? learned)
    {
        var records = ledger switch { "intent" => Intent, "loaded" => Loaded, "active" => Active, "disabled" => Disabled, _ => ByHand };
        Assert.Equal(learned, Learned(After(records), Patch(kernel)));
    }

    [Fact]
    public void A_name_under_an_operation_is_not_judged()
    {
        Assert.Empty(Bookkeeping.Learn(Seen(), After(Intent), One, At(5)));
        Assert.Empty(Bookkeeping.Learn(Seen(), After(Disabled), One, At(5)));
    }

    [Fact]
    public void Another_build_under_the_name_is_not_ours()
    {
        var foreign = Patch(KernelPatchState.Active, build: BuildId.TryParse("99"));
        Assert.Equal(RecordKind.Abandoned, Learned(After(Intent), foreign));
        Assert.Equal(RecordKind.DisabledByHand, Learned(After(Active), foreign));
        Assert.Equal(RecordKind.Gone, Learned(After(Disabled), foreign));
    }

    [Theory]
    [InlineData(true, KernelPatchState.Unused)]
    [InlineData(true, KernelPatchState.Disabled)]
    [InlineData(null, KernelPatchState.Unused)]
    [InlineData(null, KernelPatchState.Disabled)]
    public void What_a_cumulative_patch_of_ours_replaced_is_superseded(bool? replace, KernelPatchState left)
    {
        var ledger = After([.. Active, Record(RecordKind.LoadIntent, 98, All, AllDigest), Record(RecordKind.Loaded, 99, All, AllDigest)]);
        var records = Bookkeeping.Learn(Seen(Patch(left), Patch(KernelPatchState.Active, All, replace)), ledger, null, At(100));
        // First what was replaced, then the activation that explains it.
        Assert.Equal([(One, RecordKind.Superseded), (All, RecordKind.Activated)], records.Select(r => (r.Name, r.Kind)));
        Assert.Equal((All, AllDigest), (records[0].By, records[0].ByDigest));
    }

    /// <summary>The files of two patches are not read at one instant.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(null)]
    public void While_a_cumulative_patch_is_seen_in_transition_nothing_was_done_by_hand(bool? replace)
    {
        var ledger = After([.. Active, Record(RecordKind.LoadIntent, 98, All, AllDigest), Record(RecordKind.Loaded, 99, All, AllDigest)]);
        var torn = Seen(Patch(KernelPatchState.Unused), Patch(KernelPatchState.Enabling, All, replace));
        Assert.Empty(Bookkeeping.Learn(torn, ledger, null, At(100)));
        Assert.Empty(Bookkeeping.Learn(torn, ledger, All, At(100)));
        Assert.Empty(Bookkeeping.Learn(Seen(Patch(KernelPatchState.Unused)), ledger, All, At(100)));

        var whole = Bookkeeping.Learn(Seen(Patch(KernelPatchState.Unused), Patch(KernelPatchState.Active, All, replace)), ledger, null, At(100));
        Assert.Equal([(One, RecordKind.Superseded), (All, RecordKind.Activated)], whole.Select(r => (r.Name, r.Kind)));
    }

    [Fact]
    public void Without_the_attribute_an_activation_long_ago_explains_nothing()
    {
        JournalRecord[] records = [.. Active, Record(RecordKind.LoadIntent, 5, All, AllDigest), Record(RecordKind.Loaded, 6, All, AllDigest), Record(RecordKind.Activated, 7, All, AllDigest)];
        Assert.Equal(RecordKind.DisabledByHand, Learned(After(records), Patch(KernelPatchState.Unused), Patch(KernelPatchState.Active, All)));
    }

    [Fact]
    public void A_cumulative_patch_that_is_not_cumulative_or_older_explains_nothing()
    {
        JournalRecord[] later = [.. Active, Record(RecordKind.LoadIntent, 98, All, AllDigest), Record(RecordKind.Loaded, 99, All, AllDigest)];
        Assert.Equal(RecordKind.DisabledByHand, Learned(After(later), Patch(KernelPatchState.Unused), Patch(KernelPatchState.Active, All, replace: false)));
        JournalRecord[] earlier = [Record(RecordKind.LoadIntent, 0, All, AllDigest), Record(RecordKind.Loaded, 0, All, AllDigest), .. Active];
        Assert.Equal(RecordKind.DisabledByHand, Learned(After(earlier), Patch(KernelPatchState.Unused), Patch(KernelPatchState.Active, All, replace: true)));
    }

    [Fact]
    public void A_foreign_cumulative_patch_supersedes_too()
    {
        var records = Bookkeeping.Learn(Seen(Patch(KernelPatchState.Unused), Patch(KernelPatchState.Active, All, replace: true)), After(Active), null, At(100));
        Assert.Equal((RecordKind.Superseded, All, null), (Assert.Single(records).Kind, records[0].By, records[0].ByDigest));
    }

    /// <summary>Looks one second apart, the last at 100 s; what the last one teaches of lp_one.</summary>
    private static JournalRecord LearnedOver(params LoadedPatch[][] looks)
    {
        var (ledger, arrivals) = (After(Active), Arrivals.None);
        for (var i = 0; i < looks.Length - 1; i++)
        {
            arrivals = arrivals.After(Seen(looks[i]), ledger, At(101 - looks.Length + i));
            Assert.Empty(Bookkeeping.Learn(Seen(looks[i]), ledger, null, At(101 - looks.Length + i), arrivals));
        }
        arrivals = arrivals.After(Seen(looks[^1]), ledger, At(100));
        return Assert.Single(Bookkeeping.Learn(Seen(looks[^1]), ledger, null, At(100), arrivals));
    }

    [Fact]
    public void Learn_KernelWithoutReplaceAndAStrangerCameWhenOursWent_IsItsSuccessor()
    {
        var mine = Patch(KernelPatchState.Active);
        LoadedPatch Stranger(KernelPatchState state) => Patch(state, All);
        LoadedPatch[] gone = [Patch(KernelPatchState.Unused), Stranger(KernelPatchState.Active)];
        JournalRecord[] replaced =
        [
            LearnedOver([mine], gone),
            LearnedOver([mine], [mine, Stranger(KernelPatchState.Enabling)], gone),
            // The files of two patches are not read at one instant.
            LearnedOver([mine], [mine, Stranger(KernelPatchState.Active)], gone),
            LearnedOver([mine], [Patch(KernelPatchState.Unused), Stranger(KernelPatchState.Enabling)], gone),
            LearnedOver([mine], [Patch(KernelPatchState.Disabled), Stranger(KernelPatchState.Active)]),
        ];
        Assert.All(replaced, r => Assert.Equal((RecordKind.Superseded, All, null), (r.Kind, r.By, r.ByDigest)));
    }

    [Fact]
    public void Learn_KernelWithoutReplaceAndNoStrangerCame_WasDoneByHand()
    {
        var mine = Patch(KernelPatchState.Active);
        var stranger = Patch(KernelPatchState.Active, All);
        var other = Patch(KernelPatchState.Active, PatchName.Parse("lp_other"));
        var gone = Patch(KernelPatchState.Unused);
        JournalRecord[] byHand =
        [
            // It was there before: at the first look, and later.
            LearnedOver([mine, stranger], [gone, stranger]),
            LearnedOver([mine], [mine, stranger], [mine, stranger], [gone, stranger]),
            // Nobody was looking.
            LearnedOver([gone, stranger]),
            // Which of the two is not known, and one that is known to replace nobody is neither.
            LearnedOver([mine], [gone, stranger, other]),
            LearnedOver([mine], [gone, stranger with { Replace = false }]),
        ];
        Assert.All(byHand, r => Assert.Equal((RecordKind.DisabledByHand, (PatchName?)null), (r.Kind, r.By)));
    }

    [Fact]
    public void Arrivals_ALookThatIsNotWhole_SaysNothing()
    {
        var mine = Patch(KernelPatchState.Active);
        var before = Arrivals.None.After(Seen(mine), After(Active), At(1));
        Assert.Same(before, before.After(Seen() with { Whole = false }, After(Active), At(2)));
    }

    [Theory]
    [InlineData(RecordKind.OperatorReverted, Reason.RevertedByOperator)]
    [InlineData(RecordKind.Superseded, Reason.ReplacedByNewer)]
    [InlineData(RecordKind.DisabledByHand, Reason.DisabledByHand)]
    [InlineData(RecordKind.DisableIntent, Reason.RemovedFromDirectory)]
    public void What_is_gone_says_why(RecordKind before, Reason reason)
    {
        var why = before is RecordKind.Superseded ? Record(before, 4) with { By = All, ByDigest = AllDigest } : Record(before, 4);
        var ledger = After([.. Active, why, .. before is RecordKind.OperatorReverted ? [Record(RecordKind.DisableIntent, 5)] : ImmutableArray<JournalRecord>.Empty]);
        var record = Assert.Single(Bookkeeping.Learn(Seen(), ledger, null, At(100)));
        Assert.Equal((RecordKind.Gone, reason), (record.Kind, record.Reason));
    }
}
