// The members of a bus interface as its author declares them: methods, properties and signals.
namespace LivePatchd.Bus;

[Flags]
public enum BusMethodFlags
{
    None = 0,
    Deprecated = 1 << 0,
    Hidden = 1 << 1,
    NoReply = 1 << 3,
}

/// <summary>How a property's change is announced; shown in the introspection as EmitsChangedSignal.</summary>
public enum BusPropertyChange
{
    NotAnnounced,
    Constant,
    EmitsChange,
    EmitsInvalidation,
}

/// <param name="Handler">Runs on the bus thread and must not block; it may return without a reply and reply later from any thread.</param>
public sealed record BusMethod(
    string Name,
    string InSignature,
    IReadOnlyList<string> InNames,
    string OutSignature,
    IReadOnlyList<string> OutNames,
    Action<BusCall> Handler,
    BusMethodFlags Flags = BusMethodFlags.None);

/// <param name="Get">Runs on the bus thread and writes exactly one value of the signature; the state is the one given to AddObject.</param>
public sealed record BusProperty(
    string Name,
    string Signature,
    Action<BusWriter, object?> Get,
    BusPropertyChange Change = BusPropertyChange.EmitsChange);

public sealed record BusSignal(string Name, string Signature, IReadOnlyList<string> Names);
