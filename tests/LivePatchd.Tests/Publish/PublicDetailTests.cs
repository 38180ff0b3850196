// What everybody may read of a detail: never a line of the kernel's log.
using LivePatchd.Core.Model;
using LivePatchd.Publish;

namespace LivePatchd.Tests.Publish;

public sealed class PublicDetailTests
{
    private const string Crash = "loaded at 2026-03-01 12:00:05Z, and that boot ended without a shutdown; the kernel's record of it names the patch";

    [Theory]
    [InlineData(Reason.HostCrashed, "")]
    [InlineData(Reason.Suspected, "host-crashed: ")]
    public void Of_HostCrashed_WithoutTheLineThatTheKernelKept(Reason reason, string prefix) =>
        Assert.Equal(prefix + Crash, PublicDetail.Of(reason, $"{prefix}{Crash}; BUG: kernel NULL pointer dereference, address: 0010; Comm: cat"));

    [Fact]
    public void Of_HostCrashedWithoutARecord_All() => Assert.Equal(Crash, PublicDetail.Of(Reason.HostCrashed, Crash));
}
