// Which message bus to join: the system bus, the session bus, or one given by its D-Bus address; or one program to speak to without a bus.
namespace LivePatchd.Bus;

public sealed record BusAddress
{
    private BusAddress(BusAddressKind kind, string? text)
    {
        Kind = kind;
        Text = text;
    }

    /// <summary>The system bus; <c>DBUS_SYSTEM_BUS_ADDRESS</c> is honoured by libsystemd.</summary>
    public static BusAddress System { get; } = new(BusAddressKind.System, null);

    /// <summary>The bus of the user's session.</summary>
    public static BusAddress Session { get; } = new(BusAddressKind.Session, null);

    internal BusAddressKind Kind { get; }

    internal string? Text { get; }

    /// <summary>A bus by address, for example <c>unix:path=/run/dbus/system_bus_socket</c>.</summary>
    public static BusAddress At(string address) => new(BusAddressKind.Explicit, address);

    /// <summary>One program at the other end, and no bus between: no names, and nobody but that program to call.</summary>
    public static BusAddress Peer(string address) => new(BusAddressKind.Peer, address);

    public override string ToString() => Text ?? Kind.ToString().ToLowerInvariant();
}

internal enum BusAddressKind
{
    System,
    Session,
    Explicit,
    Peer,
}
