// Names of what a livepatch patches: those that no module can have, so that the patch would be attached to nothing.
using LivePatchd.Core.Elf;

namespace LivePatchd.Core.Model;

/// <summary>How an object of a loaded patch stands in the kernel.</summary>
public enum ObjectStanding
{
    Patched,

    /// <summary>Its module is not loaded; the kernel patches it as it comes.</summary>
    NotLoaded,

    /// <summary>Its module is loaded, or it is the kernel itself, and its functions are the old ones.</summary>
    NotPatched,

    /// <summary>No module can ever have its name.</summary>
    NeverMatches,

    /// <summary>The kernel does not say (before 6.1).</summary>
    Unknown,
}

public static class ObjectName
{
    private static readonly string[] FileSuffixes = [".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

    public static string Word(this ObjectStanding standing) => standing switch
    {
        ObjectStanding.Patched => "patched",
        ObjectStanding.NotLoaded => "not-loaded",
        ObjectStanding.NotPatched => "not-patched",
        ObjectStanding.NeverMatches => "never-matches",
        ObjectStanding.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(standing)),
    };

    /// <summary>The kernel compares an object's name with the module's own, byte by byte.</summary>
    /// <returns>Why no module can be called so; null when one can.</returns>
    public static string? WhyImpossible(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0)
            return "the name is empty";
        if (FileSuffixes.FirstOrDefault(s => name.EndsWith(s, StringComparison.Ordinal)) is { } suffix)
            return $"that is the name of a file, the module is called {Underscores(name[..^suffix.Length])}";
        if (name.AsSpan().ContainsAny('-', ','))
            return $"the kernel's build writes {Underscores(name)}";
        if (name.AsSpan().ContainsAnyExceptInRange('!', '~') || name.Contains('/', StringComparison.Ordinal))
            return "no module name has such characters";
        return name.Length > PatchName.MaxLength ? $"a module name has at most {PatchName.MaxLength} characters" : null;
    }

    /// <returns>The first object that nothing in any kernel can be, in words; null when there is none, or when the file does not tell.</returns>
    public static string? Unmatched(PatchTables? tables)
    {
        if (tables is null)
            return null;
        if (tables.Objects.IsEmpty)
            return "the patch names no object";
        foreach (var patched in tables.Objects)
        {
            if (patched.IsNamedVmlinux)
                return "object vmlinux: a module cannot be called so, and the kernel itself is the object without a name";
            if (WhyImpossible(patched.Name) is { } why)
                return $"object {patched.Name}: {why}";
        }
        return null;
    }

    private static string Underscores(string name) => name.Replace('-', '_').Replace(',', '_');
}
