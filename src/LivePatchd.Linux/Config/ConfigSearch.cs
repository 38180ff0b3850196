// Finds the configuration files and their order (UAPI.6): which file counts, which masks which, which comes last.
using System.Collections.Immutable;
using LivePatchd.Core.Config;

namespace LivePatchd.Linux.Config;

/// <param name="Main">Candidates for the main file, the strongest first; the first that exists counts.</param>
/// <param name="DropIns">The drop-ins that count, from the weakest to the strongest.</param>
internal sealed record ConfigSearch(
    ImmutableArray<string> Main,
    ImmutableArray<string> DropIns,
    ImmutableArray<ConfigError> Errors,
    ImmutableArray<ConfigError> Warnings)
{
    public const int MaxDropIns = 256;

    private const string Name = "livepatchd/livepatchd.yaml";

    public static ConfigSearch In(SystemRoot root)
    {
        var dropIns = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var errors = ImmutableArray.CreateBuilder<ConfigError>();
        var warnings = ImmutableArray.CreateBuilder<ConfigError>();
        foreach (var directory in (string[])["/usr/lib", "/run", "/etc"])
        {
            var path = root.Path($"{directory}/{Name}.d");
            foreach (var name in Names(path, errors))
            {
                if (name.StartsWith('.'))
                    continue;
                if (name.EndsWith(".yaml", StringComparison.Ordinal))
                    dropIns[name] = $"{path}/{name}";
                else if (name.EndsWith(".yml", StringComparison.Ordinal))
                    warnings.Add(new ConfigError($"{path}/{name}", 0, "", "not read: the name must end in .yaml"));
            }
        }
        if (dropIns.Count > MaxDropIns)
        {
            errors.Add(new ConfigError(root.Path($"/etc/{Name}.d"), 0, "", $"more than {MaxDropIns} drop-ins; none of them is read"));
            dropIns.Clear();
        }
        return new ConfigSearch(
            [root.Path($"/etc/{Name}"), root.Path($"/run/{Name}"), root.Path($"/usr/lib/{Name}")],
            [.. dropIns.Values],
            errors.ToImmutable(),
            warnings.ToImmutable());
    }

    private static IEnumerable<string> Names(string directory, ImmutableArray<ConfigError>.Builder errors)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(directory).Select(p => Path.GetFileName(p)!)];
        }
        catch (DirectoryNotFoundException)
        {
            if (File.Exists(directory))
                errors.Add(new ConfigError(directory, 0, "", "not a directory"));
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(new ConfigError(directory, 0, "", $"the directory cannot be read: {ConfigText.Quote(e.Message)}"));
            return [];
        }
    }
}
