// Loads the configuration of a host: finds the files, reads them, and hands them to the core to be checked and merged.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Linux.Pressure;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Config;

public static class ConfigLoader
{
    /// <summary>Never throws and never blocks; with no file at all the result is the defaults.</summary>
    public static ConfigResult Load(SystemRoot root)
    {
        var (search, trust) = (ConfigSearch.In(root), new DirectoryTrust(root));
        var fragments = ImmutableArray.CreateBuilder<ConfigFragment>();
        fragments.AddRange(search.Errors.Select(e => ConfigFragment.Unreadable(e.File, e.Line, e.Message)));
        if (search.Main.Select(p => ConfigFile.Read(p, trust)).FirstOrDefault(f => f is not null) is { } main)
            fragments.Add(main);
        foreach (var path in search.DropIns)
        {
            if (ConfigFile.Read(path, trust) is { } dropIn)
                fragments.Add(dropIn);
        }
        return SettingsBuilder.Build(fragments.ToImmutable(), search.Warnings, HostTimeZones.Instance);
    }
}
