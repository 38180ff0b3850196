// Pauses between tries: doubling, bounded, and none at all where trying again is no use.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Policy;

public sealed class RetryPolicyTests
{
    private static readonly Instant At = new(TimeSpan.FromHours(1), DateTimeOffset.UnixEpoch.AddYears(50));

    private static FailureMark Mark(Reason reason, int count) => new(PatchName.Parse("lp_one"), reason, Errno.EBUSY, count, At, "");

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 10)]
    [InlineData(3, 20)]
    [InlineData(7, 320)]
    [InlineData(8, 360)]
    [InlineData(60, 360)]
    [InlineData(int.MaxValue, 360)]
    [InlineData(0, 5)]
    public void Pauses_double_up_to_the_limit(int count, int minutes) =>
        Assert.Equal(TimeSpan.FromMinutes(minutes), RetryPolicy.Pause(count, Settings.Default.Transition));

    [Fact]
    public void Pauses_never_overflow_whatever_the_settings()
    {
        var longest = Settings.Default.Transition with { BackoffFirst = TimeSpan.FromDays(1), BackoffMax = TimeSpan.FromDays(7) };
        for (var count = 1; count < 200; count++)
            Assert.InRange(RetryPolicy.Pause(count, longest), TimeSpan.FromDays(1), TimeSpan.FromDays(7));
    }

    [Fact]
    public void Permanent_reasons_are_never_tried_again_and_the_others_are()
    {
        foreach (var info in ReasonTable.All)
        {
            var retry = RetryPolicy.RetryAt(Mark(info.Reason, 1), Settings.Default.Transition);
            Assert.Equal(info.Kind is ReasonKind.Permanent, retry is null);
            Assert.True(retry is null || At.IsBefore(retry.Value), info.Word);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 5)]
    [InlineData(30, 30)]
    [InlineData(1000, 30)]
    public void Another_transition_in_the_way_costs_seconds(int count, int seconds) =>
        Assert.Equal(At.After(TimeSpan.FromSeconds(seconds)), RetryPolicy.RetryAt(Mark(Reason.TransitionInProgress, count), Settings.Default.Transition));
}
