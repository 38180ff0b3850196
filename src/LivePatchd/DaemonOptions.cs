// What the command line decides: where the daemon looks and which bus it joins.
using LivePatchd.Bus;
using LivePatchd.Linux;

namespace LivePatchd;

/// <param name="Root">Prefix of every path the daemon reads; under any other than "/" nothing is ever loaded.</param>
internal sealed record DaemonOptions(SystemRoot Root, BusAddress Bus)
{
    public static DaemonOptions Host { get; } = new(SystemRoot.Host, BusAddress.System);
}
