// Opens a connection and waits, within bounds, until the bus has said hello.
using System.Diagnostics;

namespace LivePatchd.Bus.Native;

internal static class BusConnector
{
    private static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(5);

    // For the calls sd-bus makes itself (names, matches, credentials); its own default is 25 s, too long for a bus thread.
    private const ulong OwnCallTimeoutMicroseconds = 5_000_000;

    internal static BusResult<BusHandle> Open(BusAddress address)
    {
        if (!SdBus.IsAvailable)
        {
            return new BusError(BusErrorNames.Failed, $"{SdBus.Library} is missing or older than version 246.", BusErrno.LibraryAccess);
        }

        var result = Start(address, out var bus);
        if (result >= 0)
        {
            result = AwaitHello(bus);
        }

        if (result < 0)
        {
            bus.Dispose();
            return NativeError.FromErrno(result);
        }

        if (address.Kind is not BusAddressKind.Peer)
        {
            bus.Gate = new SizeGate(bus);
        }

        return bus;
    }

    private static int Start(BusAddress address, out BusHandle bus)
    {
        var result = address.Kind switch
        {
            BusAddressKind.System => SdBus.sd_bus_open_system(out bus),
            BusAddressKind.Session => SdBus.sd_bus_open_user(out bus),
            _ => StartAt(address.Text!, address.Kind is BusAddressKind.Explicit, out bus),
        };
        if (result >= 0)
        {
            _ = SdBus.sd_bus_set_exit_on_disconnect(bus, 0);
            _ = SdBus.sd_bus_set_method_call_timeout(bus, OwnCallTimeoutMicroseconds);
        }

        return result;
    }

    private static int StartAt(string address, bool isBus, out BusHandle bus)
    {
        var result = SdBus.sd_bus_new(out bus);
        if (result >= 0)
        {
            result = SdBus.sd_bus_set_address(bus, address);
        }

        if (result >= 0 && isBus)
        {
            result = SdBus.sd_bus_set_bus_client(bus, 1);
        }

        return result >= 0 ? SdBus.sd_bus_start(bus) : result;
    }

    // sd-bus itself would let a bus that accepts but never answers hold the caller for 90 s.
    private static int AwaitHello(BusHandle bus)
    {
        var started = Stopwatch.GetTimestamp();
        int ready;
        while ((ready = SdBus.sd_bus_is_ready(bus)) == 0)
        {
            var left = HelloTimeout - Stopwatch.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                return -BusErrno.TimedOut;
            }

            var result = SdBus.sd_bus_process(bus, 0);
            if (result == 0)
            {
                result = BusPoll.Wait(bus, null, left, out _);
            }

            if (result < 0)
            {
                return result;
            }
        }

        return ready;
    }
}
