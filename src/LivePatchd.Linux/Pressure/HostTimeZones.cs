// The host's time zone database, for the calendar of maintenance windows.
namespace LivePatchd.Linux.Pressure;

public static class HostTimeZones
{
    /// <summary>Null for a zone that the host does not know, and for every zone on a host without the database.</summary>
    public static TimeZoneInfo? Find(string id) => TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) ? zone : null;
}
