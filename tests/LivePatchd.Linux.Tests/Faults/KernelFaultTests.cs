// What cannot be read of the kernel is not taken for gone.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Tests.Kernel;

namespace LivePatchd.Linux.Tests.Faults;

[Collection("faults")]
public sealed class KernelFaultTests
{
    private static void Prepare(FakeRoot root)
    {
        FakeKernelTree.Basics(root);
        FakeKernelTree.Patch(root, "lp_one", enabled: 1, transition: 0, patched: "1\n");
        FakeKernelTree.Module(root, "lp_one", "1\n", buildId: [1, 2, 3, 4]);
        FakeKernelTree.Module(root, "lp_left", "0\n", buildId: [5, 6, 7, 8]);
    }

    private static ObservedState Observe(FakeRoot root) => new LinuxKernel(root.Root).Observe([PatchName.Parse("lp_one"), PatchName.Parse("lp_left")]);

    [Fact]
    public void One_failure_changes_nothing_of_the_picture()
    {
        ImmutableArray<string> whole = [];
        FaultSweep.Run(Prepare, Observe, (root, seen, fault) =>
        {
            if (whole.IsEmpty)
                whole = [.. Observe(root).Patches.Select(Text)];
            // Refused for good is a missing file where the kernel has none; where it has one, the picture is read again.
            Assert.True(seen.Whole, fault);
            Assert.True(whole.SequenceEqual(seen.Patches.Select(Text)), $"{fault}: {string.Join(" | ", seen.Patches.Select(Text))}");
            Assert.True(seen.Kernel is { BootId.Length: > 0, Release.Length: > 0 }, fault);
        });
        Assert.Equal(2, whole.Length);
    }

    [Theory]
    [InlineData(Errno.EMFILE)]
    [InlineData(Errno.ENOMEM)]
    [InlineData(Errno.EIO)]
    public void A_failure_that_lasts_makes_the_picture_not_whole(Errno errno)
    {
        using var root = new FakeRoot();
        Prepare(root);
        var kernel = new LinuxKernel(root.Root);
        Assert.True(kernel.Observe([]).Whole);
        var thread = Environment.CurrentManagedThreadId;
        Errno Fail(string call) => Environment.CurrentManagedThreadId == thread && call == "open" ? errno : Errno.None;
        CallFault.Inject += Fail;
        try
        {
            Assert.False(kernel.Observe([PatchName.Parse("lp_one")]).Whole);
        }
        finally
        {
            CallFault.Inject -= Fail;
        }
        Assert.True(kernel.Observe([]).Whole);
    }

    private static string Text(LoadedPatch p) => $"{p.Name} {p.State} {p.BuildId} {p.RefCount} {string.Join(",", p.Objects.Select(o => $"{o.Name} {o.Patched}"))}";
}
