// What is read from sysfs and procfs in every combination of files, and that a test root never reaches the real kernel.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Kernel;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Tests.Kernel;

public sealed class LinuxKernelTests : IDisposable
{
    private static readonly PatchName Name = PatchName.Parse("lp_one");

    private readonly FakeRoot root = new();

    public void Dispose() => root.Dispose();

    [Theory]
    [InlineData(1, 1, "1\n", KernelPatchState.Enabling)]
    [InlineData(1, 0, "1\n", KernelPatchState.Active)]
    [InlineData(0, 1, "1\n", KernelPatchState.Disabling)]
    [InlineData(0, 0, "1\n", KernelPatchState.Disabled)]
    [InlineData(null, null, "0\n", KernelPatchState.Unused)]
    [InlineData(null, null, "1\n", KernelPatchState.Pinned)]
    [InlineData(null, null, "-1\n", KernelPatchState.Pinned)]
    public void States_decode_by_files_and_values(int? enabled, int? transition, string refCount, KernelPatchState expected)
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Module(root, "lp_one", refCount, buildId: [0xAB, 1]);
        if (enabled is { } e && transition is { } t)
            FakeKernelTree.Patch(root, "lp_one", e, t);

        var patch = Assert.Single(new LinuxKernel(root.Root).Observe([Name]).Patches);

        Assert.Equal(expected, patch.State);
        Assert.Equal("ab01", patch.BuildId?.Hex);
        Assert.True(patch.Livepatch);
        Assert.True(patch.ModulePresent);
    }

    [Fact]
    public void Neither_directory_nor_module_is_nothing()
    {
        FakeKernelTree.Basics(root);
        Assert.Empty(new LinuxKernel(root.Root).Observe([Name]).Patches);
    }

    [Fact]
    public void A_directory_of_a_built_in_module_is_no_leftover()
    {
        FakeKernelTree.Basics(root);
        root.Write("/sys/module/lp_one/parameters/x", "1\n");
        Assert.Empty(new LinuxKernel(root.Root).Observe([Name]).Patches);
    }

    [Fact]
    public void A_leftover_that_is_no_livepatch_is_told_apart()
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Module(root, "lp_one", "0\n", taint: "OE");
        Assert.False(Assert.Single(new LinuxKernel(root.Root).Observe([Name]).Patches).Livepatch);
    }

    public static TheoryData<string?, string?, string?, bool?, int?, bool?> Attributes
    {
        get
        {
            var data = new TheoryData<string?, string?, string?, bool?, int?, bool?>();
            foreach (var replace in new[] { null, "0\n", "1\n" })
            {
                foreach (var order in new[] { null, "0\n", "3\n" })
                {
                    foreach (var patched in new[] { null, "0\n", "1\n" })
                        data.Add(replace, order, patched, replace is null ? null : replace == "1\n", order is null ? null : order[0] - '0', patched is null ? null : patched == "1\n");
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Attributes))]
    public void Attributes_are_told_by_their_presence(
        string? replace, string? order, string? patched, bool? expectedReplace, int? expectedOrder, bool? expectedPatched)
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Patch(root, "lp_one", 1, 0, replace, order, patched);

        var kernel = new LinuxKernel(root.Root);
        var patch = Assert.Single(kernel.Observe([]).Patches);

        Assert.Equal(expectedReplace, patch.Replace);
        // Looking at the kernel takes none of its locks: the order is asked for by itself.
        Assert.Null(patch.StackOrder);
        Assert.Equal(expectedOrder is not null, kernel.TellsStackOrder(patch.Name));
        Assert.Equal(expectedOrder, kernel.StackOrders([patch.Name, PatchName.Parse("lp_gone")]).TryGetValue(patch.Name, out var told) ? told : null);
        Assert.Equal(expectedPatched, Assert.Single(patch.Objects).Patched);
    }

    [Theory]
    [InlineData("vmlinux", "1\n", null, ObjectStanding.Patched)]
    [InlineData("vmlinux", "0\n", null, ObjectStanding.NotPatched)]
    [InlineData("nf_tables", "1\n", "live", ObjectStanding.Patched)]
    [InlineData("nf_tables", "0\n", "live", ObjectStanding.NotPatched)]
    [InlineData("nf_tables", "0\n", "coming", ObjectStanding.NotLoaded)]
    [InlineData("nf_tables", "0\n", "going", ObjectStanding.NotLoaded)]
    [InlineData("nf_tables", "0\n", null, ObjectStanding.NotLoaded)]
    [InlineData("nf_tables", null, "live", ObjectStanding.Unknown)]
    [InlineData("nf-tables", "0\n", null, ObjectStanding.NeverMatches)]
    public void AnObject_ByItsAttributeAndItsModule_IsPatchedOrNot(string name, string? patched, string? state, ObjectStanding expected)
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Patch(root, "lp_one", 1, 0, patched: "1\n");
        root.MakeDirectory($"/sys/kernel/livepatch/lp_one/{name}/f,1");
        if (patched is not null)
            root.Write($"/sys/kernel/livepatch/lp_one/{name}/patched", patched);
        if (state is not null)
            root.Write($"/sys/module/{name}/initstate", state + "\n");
        var kernel = new LinuxKernel(root.Root);
        // The second look remembers the first one's objects.
        for (var look = 0; look < 2; look++)
            Assert.Equal(expected, Assert.Single(kernel.Observe([]).Patches).Objects.Single(o => o.Name == name).Standing);
        if (patched == "0\n" && name == "nf_tables")
        {
            root.Write($"/sys/kernel/livepatch/lp_one/{name}/patched", "1\n");
            Assert.Equal(ObjectStanding.Patched, Assert.Single(kernel.Observe([]).Patches).Objects.Single(o => o.Name == name).Standing);
        }
    }

    [Theory]
    [InlineData("lp_hold.v2")]
    [InlineData("lp-hold")]
    [InlineData("lp+hold~1")]
    public void APatch_UnderANameThatNoFileOfOursHas_IsSeenWithItsTransition(string name)
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Module(root, name, "1\n");
        FakeKernelTree.Patch(root, name, 1, 1);

        var seen = new LinuxKernel(root.Root).Observe([]);

        Assert.True(seen.Whole);
        Assert.Equal((name, KernelPatchState.Enabling), (seen.InTransition?.Name.Value, seen.InTransition?.State));
        Assert.False(seen.InTransition!.Name.IsManageable);
    }

    [Fact]
    public void APatch_WithoutATransitionFile_IsOpaque()
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Patch(root, "lp_one", 1, 0);
        File.Delete(root.Root.Path("/sys/kernel/livepatch/lp_one/transition"));

        var patch = Assert.Single(new LinuxKernel(root.Root).Observe([]).Patches);

        Assert.Equal(KernelPatchState.Opaque, patch.State);
        Assert.Equal(["vmlinux"], patch.Objects.Select(o => o.Name));
    }

    [Fact]
    public void Of_functions_the_position_is_told_where_it_is_not_the_first()
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Patch(root, "lp_one", 1, 0, functions: ["b_func,0", "a_func,2", "a_func,1", "old_style"]);
        root.MakeDirectory("/sys/kernel/livepatch/lp_one/nf_tables/nft_do,0");

        var patch = Assert.Single(new LinuxKernel(root.Root).Observe([]).Patches);

        Assert.Equal(["nf_tables", "vmlinux"], patch.Objects.Select(o => o.Name));
        Assert.Equal(["nft_do"], patch.Objects[0].Functions);
        Assert.Equal(["a_func", "a_func,2", "b_func", "old_style"], patch.Objects[1].Functions.Order(StringComparer.Ordinal));
        Assert.True(patch.Objects[1].Patches("a_func"));
        Assert.False(patch.Objects[1].Patches("a_func,2"));
    }

    [Fact]
    public void Several_patches_are_seen_once_each_in_name_order()
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Patch(root, "lp_two", 1, 0);
        FakeKernelTree.Patch(root, "lp_one", 1, 1);
        FakeKernelTree.Module(root, "lp_one", "1\n");
        FakeKernelTree.Module(root, "lp_old", "0\n");

        var seen = new LinuxKernel(root.Root).Observe([Name, PatchName.Parse("lp_old"), PatchName.Parse("lp_gone")]);

        Assert.Equal(["lp_one", "lp_two", "lp_old"], seen.Patches.Select(p => p.Name.Value));
        Assert.Equal(Name, seen.InTransition?.Name);
    }

    [Fact]
    public void Unreadable_values_mean_gone_and_never_fail()
    {
        FakeKernelTree.Basics(root);
        root.MakeDirectory("/sys/kernel/livepatch/half_gone");
        root.Write("/sys/kernel/livepatch/nonsense/enabled", "maybe\n");
        root.Write("/sys/kernel/livepatch/nonsense/transition", "1\n");
        root.MakeDirectory("/sys/kernel/livepatch/is_directory/enabled");
        Assert.Equal(0, FakeRoot.mkfifo(root.Path("/sys/kernel/livepatch/is_directory/transition"), 0x180));
        root.MakeDirectory("/sys/kernel/livepatch/with space");
        File.CreateSymbolicLink(root.Path("/sys/kernel/livepatch/link"), root.Path("/sys"));

        Assert.Empty(new LinuxKernel(root.Root).Observe([]).Patches);
    }

    [Fact]
    public void Patches_that_come_and_go_while_read_do_no_harm()
    {
        FakeKernelTree.Basics(root);
        var kernel = new LinuxKernel(root.Root);
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        var churn = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                FakeKernelTree.Patch(root, "lp_one", 1, 0);
                FakeKernelTree.Module(root, "lp_one", "1\n");
                Directory.Delete(root.Path("/sys/kernel/livepatch/lp_one"), recursive: true);
                Directory.Delete(root.Path("/sys/module/lp_one"), recursive: true);
            }
        }, TestContext.Current.CancellationToken);
        while (!churn.IsCompleted)
        {
            foreach (var patch in kernel.Observe([Name]).Patches)
                Assert.Equal(Name, patch.Name);
        }
        Assert.True(churn.IsCompletedSuccessfully, churn.Exception?.ToString());
    }

    [Fact]
    public void Targets_that_come_and_go_are_seen_each_time()
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Patch(root, "lp_one", 1, 0, patched: "0\n");
        var kernel = new LinuxKernel(root.Root);
        Assert.False(kernel.Observe([]).Patches[0].Objects[0].Patched);
        root.Write("/sys/kernel/livepatch/lp_one/vmlinux/patched", "1\n");
        Assert.True(kernel.Observe([]).Patches[0].Objects[0].Patched);
        File.Delete(root.Path("/sys/kernel/livepatch/lp_one/vmlinux/patched"));
        Assert.Null(kernel.Observe([]).Patches[0].Objects[0].Patched);
    }

    [Fact]
    public void Functions_that_exist_only_in_transition_are_not_remembered()
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Patch(root, "lp_one", 1, 1, functions: ["own,0", "nop,0"]);
        var kernel = new LinuxKernel(root.Root);
        Assert.Equal(["nop", "own"], kernel.Observe([]).Patches[0].Objects[0].Functions);
        Directory.Delete(root.Path("/sys/kernel/livepatch/lp_one/vmlinux/nop,0"));
        root.Write("/sys/kernel/livepatch/lp_one/transition", "0\n");
        Assert.Equal(["own"], kernel.Observe([]).Patches[0].Objects[0].Functions);
    }

    [Fact]
    public void Another_patch_under_a_known_name_is_listed_anew()
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Patch(root, "lp_one", 1, 0, functions: ["old,0"]);
        var kernel = new LinuxKernel(root.Root);
        Assert.Equal(["old"], kernel.Observe([]).Patches[0].Objects[0].Functions);
        Directory.Delete(root.Path("/sys/kernel/livepatch/lp_one"), recursive: true);
        FakeKernelTree.Patch(root, "lp_one", 1, 0, functions: ["new,0"]);
        Assert.Equal(["new"], kernel.Observe([]).Patches[0].Objects[0].Functions);
    }

    [Fact]
    public void Facts_are_read()
    {
        FakeKernelTree.Basics(root);
        root.Write("/proc/sys/kernel/ftrace_enabled", "0\n");
        root.Write("/proc/sys/kernel/modules_disabled", "1\n");
        root.Write("/sys/module/module/parameters/sig_enforce", "Y\n");
        root.Write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        root.Write("/sys/kernel/oops_count", "2\n");
        root.Write("/sys/kernel/warn_count", "5\n");

        var facts = new LinuxKernel(root.Root).Observe([]).Kernel;

        Assert.Equal(
            new KernelFacts(
                "6.1.0-test-amd64", "6a7c1dc5-45d2-4b19-8e6b-0a6a3c3a4a55", LivepatchPresent: true, CanLoadModules: true, FtraceEnabled: false,
                SignatureEnforced: true, LockdownLevel.Integrity, ModulesDisabled: true, Tainted: 32768, OopsCount: 2, WarnCount: 5),
            facts);
    }

    [Fact]
    public void Facts_of_an_empty_host_claim_nothing()
    {
        Assert.Equal(
            new KernelFacts("", "", false, false, null, false, LockdownLevel.None, false, 0, null, null),
            new LinuxKernel(root.Root).Observe([]).Kernel);
    }

    [Fact]
    public void What_root_can_change_is_read_each_time()
    {
        FakeKernelTree.Basics(root);
        root.Write("/proc/sys/kernel/ftrace_enabled", "1\n");
        var kernel = new LinuxKernel(root.Root);
        Assert.True(kernel.Observe([]).Kernel.FtraceEnabled);
        root.Write("/proc/sys/kernel/ftrace_enabled", "0\n");
        root.Write("/sys/module/module/parameters/sig_enforce", "Y\n");
        root.Write("/proc/sys/kernel/tainted", "33280\n");
        var facts = kernel.Observe([]).Kernel;
        Assert.False(facts.FtraceEnabled);
        Assert.True(facts.SignatureEnforced);
        Assert.Equal(33280UL, facts.Tainted);
    }

    [Fact]
    public void Under_a_test_root_nothing_reaches_the_kernel()
    {
        FakeKernelTree.Patch(root, "lp_one", 1, 0);
        var kernel = new LinuxKernel(root.Root);
        using var file = new SafeFileHandle(-1, ownsHandle: false);

        Assert.Equal(Errno.EXDEV, kernel.Load(file).Errno);
        Assert.Equal(Errno.EXDEV, kernel.SetEnabled(Name, enabled: false).Errno);
        Assert.Equal(Errno.EXDEV, kernel.Unload(Name).Errno);
        Assert.Equal("1\n", File.ReadAllText(root.Path("/sys/kernel/livepatch/lp_one/enabled")));
    }
}
