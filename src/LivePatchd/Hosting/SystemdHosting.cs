// Makes the host speak to systemd wherever NOTIFY_SOCKET says that a supervisor listens.
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting.Systemd;

namespace LivePatchd.Hosting;

internal static class SystemdHosting
{
    /// <summary>
    /// AddSystemd of version 10.0.14 looks at the parent process's name, and does nothing when that is not "systemd"
    /// (a wrapper, a container, a test). NOTIFY_SOCKET is the protocol's own sign, so it decides here.
    /// </summary>
    public static void AddSystemdLifetime(this IServiceCollection services)
    {
        services.AddSystemd();
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NOTIFY_SOCKET")))
            return;
        services.Replace(ServiceDescriptor.Singleton<ISystemdNotifier, LifetimeNotifier>());
        services.Replace(ServiceDescriptor.Singleton<IHostLifetime, SystemdLifetime>());
    }
}
