// Waits for a condition with a limit; never asserts how long it took.
namespace LivePatchd.Bus.Tests;

internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    public static async Task Becomes(Func<bool> condition)
    {
        using var expired = new CancellationTokenSource(Limit);
        while (!condition())
        {
            Assert.False(expired.IsCancellationRequested, "The condition did not become true in time.");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }
}
