// Who is named when the kernel finds a function taken: by what was read right before the call.
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Policy.Preflight;

namespace LivePatchd.Core.Tests.Policy;

public sealed class HolderTests
{
    private static readonly KernelFacts Plain = new("6.12.0", "boot", true, true, true, false, LockdownLevel.None, false, 0, 0, 0);

    [Fact]
    public void Each_is_named_by_its_callee_its_handler_or_as_unnamed_and_four_are_enough()
    {
        var facts = PreflightFacts.None with
        {
            Trace = TraceFacts.None with
            {
                Functions =
                [
                    new("a", null, true, false, null, null), new("b", null, true, false, null, "hook"), new("c", null, true, true, "call", "hook"),
                    new("plain", null, false, false, null, "tracer"), new("d", null, false, true, null, null), new("e", null, true, false, null, null),
                ],
            },
        };
        Assert.Equal("EBUSY; attached before: a (unnamed), b (hook), c (call), d (unnamed)", Detail([], facts));
        Assert.Equal("EBUSY: a line", Detail(["another line", "a line"], PreflightFacts.None));
        Assert.Equal("EBUSY", Detail([], null));
    }

    [Fact]
    public void A_line_about_ftrace_is_a_conflict_only_with_the_errno_of_one()
    {
        const string Line = "livepatch: failed to register ftrace handler for function 'x' (-12)";
        var failure = FailureClassifier.Load(PatchName.Parse("lp_one"), Errno.ENOMEM, [Line], Plain, transitionRunning: false);
        Assert.Equal(new Failure(Reason.OutOfMemory, $"ENOMEM: {Line}"), failure);
        Assert.Equal(Reason.KernelRefused, FailureClassifier.Load(PatchName.Parse("lp_one"), Errno.EINVAL, ["x"], Plain, transitionRunning: false).Reason);
    }

    private static string Detail(string[] log, PreflightFacts? facts)
    {
        var failure = FailureClassifier.Load(PatchName.Parse("lp_one"), Errno.EBUSY, log, Plain, transitionRunning: false, facts);
        Assert.Equal(Reason.FtraceConflict, failure.Reason);
        return failure.Detail;
    }
}
