// The outcome of a system call: a value or the errno it failed with.
using System.Diagnostics.CodeAnalysis;

namespace LivePatchd.Core.Model;

/// <summary>Success, or the errno and the name of the call that failed (for the log, never parsed).</summary>
public readonly record struct SysResult(Errno Errno, string? Call = null)
{
    public static SysResult Success => default;

    public bool IsOk => Errno == Errno.None;

    public static SysResult Fail(Errno errno, string call) => new(errno, call);

    public static SysResult<T> Ok<T>(T value) => new(value, Errno.None, null);

    public static SysResult<T> Fail<T>(Errno errno, string call) => new(default, errno, call);

    public override string ToString() => IsOk ? "ok" : $"{Call}: {Errno}";
}

/// <inheritdoc cref="SysResult"/>
public readonly record struct SysResult<T>(T? Value, Errno Errno, string? Call)
{
    [MemberNotNullWhen(true, nameof(Value))]
    public bool IsOk => Errno == Errno.None;

    public SysResult WithoutValue => new(Errno, Call);

    public override string ToString() => IsOk ? $"{Value}" : $"{Call}: {Errno}";
}
