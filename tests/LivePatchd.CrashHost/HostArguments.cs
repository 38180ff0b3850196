// What the parent tells a crash host: its root, bus and kernel, how far its clock is ahead, and where it is to die.
using System.Globalization;

namespace LivePatchd.CrashHost;

/// <param name="Ahead">Added to both clocks: a host that crashes a thousand times does so over days, not seconds.</param>
/// <param name="Armed">Failpoints, each with the number of the hit at which the process ends itself.</param>
internal sealed record HostArguments(string Root, string BusAddress, string KernelSocket, TimeSpan Ahead, IReadOnlyDictionary<string, int> Armed)
{
    public IEnumerable<string> Line =>
    [
        Root, BusAddress, KernelSocket, Ahead.Ticks.ToString(CultureInfo.InvariantCulture), .. Armed.Select(a => $"{a.Key}:{a.Value}"),
    ];

    public static HostArguments Parse(string[] line) => new(
        line[0], line[1], line[2], TimeSpan.FromTicks(long.Parse(line[3], CultureInfo.InvariantCulture)),
        line[4..].Select(a => a.Split(':')).ToDictionary(a => a[0], a => int.Parse(a[1], CultureInfo.InvariantCulture)));
}
