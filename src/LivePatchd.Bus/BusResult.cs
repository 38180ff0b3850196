// The outcome of a bus operation: a value or a BusError; an absent bus is an outcome, never an exception.
using System.Diagnostics.CodeAnalysis;

namespace LivePatchd.Bus;

public readonly struct BusResult<T>
{
    private BusResult(T? value, BusError? error)
    {
        Value = value;
        Error = error;
    }

    [MemberNotNullWhen(false, nameof(Error))]
    [MemberNotNullWhen(true, nameof(Value))]
    public bool IsOk => Error is null;

    public T? Value { get; }

    public BusError? Error { get; }

    public static implicit operator BusResult<T>(BusError error) => new(default, error);

    public static implicit operator BusResult<T>(T value) => new(value, null);

    internal static BusResult<T> Ok(T value) => new(value, null);

    public override string ToString() => Error?.ToString() ?? $"{Value}";
}
