// The host's time zone database, for the calendar of maintenance windows.
using LivePatchd.Core.Config;

namespace LivePatchd.Linux.Pressure;

public sealed class HostTimeZones : IHostZones
{
    private HostTimeZones()
    {
    }

    public static HostTimeZones Instance { get; } = new();

    public IReadOnlyCollection<string> Names => [.. TimeZoneInfo.GetSystemTimeZones().Select(static z => z.Id)];

    public bool Has(string name) => Find(name) is not null;

    /// <summary>Null for a zone that the host does not know, and for every zone on a host without the database.</summary>
    public static TimeZoneInfo? Find(string id) => TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : null;
}
