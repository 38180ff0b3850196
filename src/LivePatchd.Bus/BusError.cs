// What went wrong on the bus: the D-Bus error name and message as the peer sent them, and the errno sd-bus gave.
namespace LivePatchd.Bus;

/// <param name="Name">A D-Bus error name; local failures carry libsystemd's name for the errno.</param>
/// <param name="Errno">Positive errno.</param>
public sealed record BusError(string Name, string Message, int Errno)
{
    /// <summary>True when no bus, or no libsystemd, could be reached, as opposed to a peer that answered with an error.</summary>
    public bool IsUnreachable =>
        Errno is BusErrno.NoEntry or BusErrno.ConnectionRefused or BusErrno.NotConnected or BusErrno.ConnectionReset or BusErrno.LibraryAccess
            or BusErrno.NoMedium
        || Name is BusErrorNames.ServiceUnknown or BusErrorNames.NameHasNoOwner or BusErrorNames.Disconnected;

    /// <summary>True when the wait for an answer ran out.</summary>
    public bool IsTimeout => Errno == BusErrno.TimedOut || Name is BusErrorNames.NoReply or BusErrorNames.Timeout;

    public override string ToString() => $"{Name}: {Message}";
}
