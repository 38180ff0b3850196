// The life of the metrics host: the daemon starts and ends it, and signals are the daemon's own business.
namespace LivePatchd.Metrics;

internal sealed class InnerLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
