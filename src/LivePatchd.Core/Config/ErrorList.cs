// Collects the errors of one file: all of them, up to a bound that a hostile file cannot exceed.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

public sealed class ErrorList
{
    public const int MaxErrors = 100;

    private readonly ImmutableArray<ConfigError>.Builder errors = ImmutableArray.CreateBuilder<ConfigError>();

    public int Count => errors.Count;

    /// <summary>Whatever is added from here on is not shown.</summary>
    public bool IsFull => errors.Count > MaxErrors;

    public void Add(ConfigPlace place, string key, string message)
    {
        if (errors.Count < MaxErrors)
            errors.Add(new ConfigError(place.File, place.Line, key, message));
        else if (errors.Count == MaxErrors)
            errors.Add(new ConfigError(place.File, place.Line, "", $"more than {MaxErrors} errors; the rest is not shown"));
    }

    public ImmutableArray<ConfigError> ToImmutable() => errors.ToImmutable();
}
