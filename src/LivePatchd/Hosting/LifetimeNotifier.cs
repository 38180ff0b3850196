// The host's own messages to systemd (ready, stopping), sent as all others are: bounded in time, and never an error.
using LivePatchd.Linux.Systemd;
using Microsoft.Extensions.Hosting.Systemd;

namespace LivePatchd.Hosting;

/// <summary>The library's own waits without a limit for a supervisor that does not read, and a stop with it.</summary>
internal sealed class LifetimeNotifier : ISystemdNotifier, IDisposable
{
    private readonly Notifier notifier = Notifier.FromEnvironment();

    public bool IsEnabled => notifier.Active;

    public void Notify(ServiceState state)
    {
        if (state.Equals(ServiceState.Ready))
            notifier.Ready();
        else if (state.Equals(ServiceState.Stopping))
            notifier.Stopping();
    }

    public void Dispose() => notifier.Dispose();
}
