// How long a test waits before it fails: far longer than a starved host takes, because no test passes by the clock.
namespace LivePatchd.EndToEnd.Tests;

internal static class Limit
{
    public static readonly TimeSpan Long = TimeSpan.FromMinutes(4);
    public static readonly TimeSpan Call = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <param name="state">Said when the time is up.</param>
    public static Task Until(Func<bool> condition, Func<string>? state = null) => Until(() => Task.FromResult(condition()), state);

    /// <inheritdoc cref="Until(Func{bool}, Func{string}?)"/>
    public static async Task Until(Func<Task<bool>> condition, Func<string>? state = null)
    {
        using var expired = new CancellationTokenSource(Long);
        while (!await condition())
        {
            if (expired.IsCancellationRequested)
                Assert.Fail("The condition did not become true in time. " + state?.Invoke());
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }
}
