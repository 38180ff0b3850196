// The host's time zone database, as far as a configuration is held against it.
namespace LivePatchd.Core.Config;

public interface IHostZones
{
    /// <summary>Every zone, to find the one that was meant.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>Whether the host knows the zone.</summary>
    bool Has(string name);
}
