// What the kernel says of itself and of its livepatches, as it says it, for people who look for a fault: bounded, and nothing concluded.
using System.Collections.Immutable;
using System.Text;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Linux.Kernel;

/// <param name="Tree">Of /sys/kernel/livepatch: directories end in a slash, files have their value behind the name.</param>
/// <param name="Modules">The loaded modules that the kernel calls livepatches.</param>
/// <param name="Cut">There was more than fits.</param>
public sealed record KernelSurvey(
    KernelFacts Facts, string Version, string CommandLine, string Lockdown, ImmutableArray<string> Tree, ImmutableArray<LivepatchModule> Modules, bool Cut)
{
    private const int MaxTree = 4000;
    private const int MaxModules = 10_000;
    private const int MaxLivepatches = 200;
    private const int MaxDepth = 3;
    private const int MaxCommandLine = 1 << 14;

    public static KernelSurvey Read(SystemRoot root)
    {
        ArgumentNullException.ThrowIfNull(root);
        var tree = new List<string>();
        Walk(root.Path("/sys/kernel/livepatch"), "", 0, tree);
        var modules = Livepatches(root);
        return new KernelSurvey(
            new KernelFactsReader(root).Read(),
            Text(root.Path("/proc/version"), SysfsReader.MaxFileSize),
            Text(root.Path("/proc/cmdline"), MaxCommandLine),
            Text(root.Path("/sys/kernel/security/lockdown"), SysfsReader.MaxFileSize),
            [.. tree.Take(MaxTree)],
            [.. modules.Take(MaxLivepatches)],
            tree.Count > MaxTree || modules.Count > MaxLivepatches);
    }

    private static void Walk(string directory, string prefix, int depth, List<string> lines)
    {
        foreach (var name in SysfsReader.Files(directory, MaxTree))
        {
            if (lines.Count > MaxTree)
                return;
            lines.Add($"{Printable.Line(prefix + name)} {Text($"{directory}/{name}", SysfsReader.MaxFileSize)}".TrimEnd());
        }
        if (depth == MaxDepth)
            return;
        foreach (var name in SysfsReader.Directories(directory, MaxTree))
        {
            if (lines.Count > MaxTree)
                return;
            lines.Add(Printable.Line($"{prefix}{name}/"));
            Walk($"{directory}/{name}", $"{prefix}{name}/", depth + 1, lines);
        }
    }

    private static List<LivepatchModule> Livepatches(SystemRoot root)
    {
        var found = new List<LivepatchModule>();
        foreach (var name in SysfsReader.Directories(root.Path("/sys/module"), MaxModules))
        {
            var path = root.Path("/sys/module/" + name);
            var taint = Text(path + "/taint", SysfsReader.MaxFileSize);
            if (!taint.Contains('K', StringComparison.Ordinal))
                continue;
            found.Add(new LivepatchModule(Printable.Line(name), Of("initstate"), Of("refcnt"), taint, Of("srcversion")));
            if (found.Count > MaxLivepatches)
                break;

            string Of(string attribute) => Text($"{path}/{attribute}", SysfsReader.MaxFileSize);
        }
        return found;
    }

    /// <summary>One line; empty where there is nothing to read.</summary>
    private static string Text(string path, int max)
    {
        var buffer = new byte[max];
        return SysfsReader.Read(path, buffer) is { } length
            ? Printable.Line(Encoding.UTF8.GetString(buffer.AsSpan(0, length).TrimEnd((byte)'\n')), max)
            : "";
    }
}

/// <summary>Values as /sys/module has them; empty where there are none.</summary>
public sealed record LivepatchModule(string Name, string State, string RefCount, string Taint, string SourceVersion);
