// The operator's health checks: directory entries whose names are the units to start, as in systemd's .wants directories.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;

namespace LivePatchd.Linux.Config;

/// <param name="Required">A failure of one is evidence against the patch.</param>
/// <param name="Wanted">A failure of one is a warning.</param>
/// <param name="Problems">What was left out, and why; for people.</param>
public sealed record HealthChecks(ImmutableArray<string> Required, ImmutableArray<string> Wanted, ImmutableArray<string> Problems)
{
    public static HealthChecks None { get; } = new([], [], []);
}

public static class HealthDirectory
{
    public const string Path = "/etc/livepatchd/health.d";

    public const int MaxEntries = 64;

    /// <summary>Only names are read: files and links alike, whatever is in them. A directory that others than root could change is left out whole.</summary>
    public static HealthChecks Read(SystemRoot root)
    {
        ArgumentNullException.ThrowIfNull(root);
        var problems = ImmutableArray.CreateBuilder<string>();
        var required = Read(root, $"{Path}/required.d", problems);
        var wanted = Read(root, $"{Path}/wanted.d", problems);
        return new HealthChecks(required, [.. wanted.Except(required)], problems.ToImmutable());
    }

    private static ImmutableArray<string> Read(SystemRoot root, string path, ImmutableArray<string>.Builder problems)
    {
        var opened = Sys.Open(root.Path(path), LibC.ReadOnly | LibC.Directory);
        if (opened.Errno is Errno.ENOENT)
            return [];
        if (!opened.IsOk)
        {
            problems.Add($"{path}: {opened.WithoutValue}");
            return [];
        }
        using var directory = opened.Value;
        if (new DirectoryTrust(root).Check(directory, root.Path(path)) is { } untrusted)
        {
            problems.Add($"{path}: {untrusted.Detail}");
            return [];
        }
        var listing = DirectoryListing.Read(root.Path(path), MaxEntries);
        if (!listing.IsOk)
        {
            problems.Add(listing.Errno is Errno.E2BIG ? $"{path}: more than {MaxEntries} entries" : $"{path}: {listing.WithoutValue}");
            return [];
        }
        var names = ImmutableArray.CreateBuilder<string>();
        foreach (var name in listing.Value.Where(static n => n[0] != '.').Order(StringComparer.Ordinal))
        {
            if (UnitName.IsService(name))
                names.Add(name);
            else
                problems.Add($"{path}/{Printable.Line(name, UnitName.MaxLength)}: not the name of a service");
        }
        return names.ToImmutable();
    }
}
