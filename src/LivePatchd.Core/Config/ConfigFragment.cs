// One configuration file as read: its tree, and what could not be read of it.
using System.Collections.Immutable;

namespace LivePatchd.Core.Config;

/// <param name="File">The path shown in messages.</param>
/// <param name="Root">Empty when the file is empty or could not be read.</param>
/// <param name="Errors">Of reading only: keys and values are checked later.</param>
public sealed record ConfigFragment(string File, MapNode Root, ImmutableArray<ConfigError> Errors)
{
    public static ConfigFragment Unreadable(string file, int line, string message) =>
        new(file, new MapNode(new ConfigPlace(file, line), []), [new ConfigError(file, line, "", message)]);
}
