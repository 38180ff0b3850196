// One D-Bus interface: its members, and the native vtable that sd-bus serves it from, built once.
using LivePatchd.Bus.Native;

namespace LivePatchd.Bus;

/// <summary>Make one per interface and keep it for the life of the process: its native vtable is never freed.</summary>
public sealed class BusInterface
{
    private readonly Dictionary<string, BusMethod> _methods;
    private readonly Dictionary<string, BusProperty> _properties;
    private readonly Lazy<nint> _vtable;

    public BusInterface(string name, IReadOnlyList<BusMethod> methods, IReadOnlyList<BusProperty> properties, IReadOnlyList<BusSignal> signals)
    {
        Name = name;
        Methods = methods;
        Properties = properties;
        Signals = signals;
        _methods = methods.ToDictionary(m => m.Name, StringComparer.Ordinal);
        _properties = properties.ToDictionary(p => p.Name, StringComparer.Ordinal);
        _vtable = new Lazy<nint>(() => VtableBuilder.Build(this));
    }

    public string Name { get; }

    public IReadOnlyList<BusMethod> Methods { get; }

    public IReadOnlyList<BusProperty> Properties { get; }

    public IReadOnlyList<BusSignal> Signals { get; }

    /// <summary>Built at first use, so that declaring an interface needs no libsystemd.</summary>
    internal nint Vtable => _vtable.Value;

    internal BusMethod? FindMethod(string? name) => name is null ? null : _methods.GetValueOrDefault(name);

    internal BusProperty? FindProperty(string? name) => name is null ? null : _properties.GetValueOrDefault(name);
}
