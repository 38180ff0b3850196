// What loading the configuration gave: settings to run with, every error, every warning, and where each value came from.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

/// <param name="File">Null for a built-in default.</param>
/// <param name="Value">In YAML's one-line style.</param>
public sealed record ConfigOrigin(string Key, string Value, string? File, int Line);

/// <param name="Settings">
/// Always usable. With errors, faulty keys hold their defaults and the mode is observe: a daemon that did not understand
/// its configuration changes nothing in the kernel. A reload keeps the last good settings instead.
/// </param>
/// <param name="Origins">Every effective key, in the order of the contract.</param>
public sealed record ConfigResult(
    Settings Settings,
    ImmutableArray<ConfigError> Errors,
    ImmutableArray<ConfigError> Warnings,
    ImmutableArray<ConfigOrigin> Origins)
{
    public bool IsValid => Errors.IsEmpty;
}
