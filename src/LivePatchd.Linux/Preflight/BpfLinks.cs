// Finds the processes that hold BPF programs attached to certain functions, by the links among their descriptors.
using System.Diagnostics;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Tasks;

namespace LivePatchd.Linux.Preflight;

/// <summary>Looked for only when such a program is in question. A link that is pinned, and held by nobody, is not found.</summary>
internal sealed class BpfLinks(SystemRoot root)
{
    private const string LinkTarget = "anon_inode:bpf_link";
    private const int MaxProcesses = 10_000;
    private const int MaxInfo = 1024;

    // A host with very many descriptors: what was not found by then has no name.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    // Something was not to be looked into, or was gone.
    private bool closed;

    /// <summary>By itself as far as it may, then through the helper, which may look into every process.</summary>
    /// <param name="trampolines">Numbers of their symbols.</param>
    /// <returns>"program 77 of bpftrace (pid 1234)" by trampoline.</returns>
    internal Dictionary<ulong, string> Find(IReadOnlySet<ulong> trampolines)
    {
        var found = Look(trampolines);
        if (!closed || found.Count == trampolines.Count)
            return found;
        using var questions = new TaskQuestions(root);
        foreach (var (trampoline, holder) in questions.Links())
        {
            if (trampolines.Contains(trampoline))
                found.TryAdd(trampoline, Printable.Line(holder));
        }
        return found;
    }

    /// <param name="trampolines">Null for all there are.</param>
    internal Dictionary<ulong, string> Look(IReadOnlySet<ulong>? trampolines)
    {
        var found = new Dictionary<ulong, string>();
        closed = false;
        var begin = Stopwatch.GetTimestamp();
        foreach (var process in SysfsReader.Directories(root.Path("/proc"), MaxProcesses))
        {
            if (found.Count == trampolines?.Count || Stopwatch.GetElapsedTime(begin) > Patience)
                break;
            if (char.IsAsciiDigit(process[0]))
                Look(process, trampolines, found);
        }
        return found;
    }

    private void Look(string process, IReadOnlySet<ulong>? trampolines, Dictionary<ulong, string> found)
    {
        try
        {
            foreach (var descriptor in new DirectoryInfo(root.Path($"/proc/{process}/fd")).EnumerateFileSystemInfos())
            {
                if (descriptor.LinkTarget is not { } target)
                    closed = true;
                else if (target.StartsWith(LinkTarget, StringComparison.Ordinal)
                    && ReadLink(process, descriptor.Name) is { Trampoline: { } trampoline } link && trampolines?.Contains(trampoline) != false)
                    found.TryAdd(trampoline, $"program {link.Program} of {Comm(process)} (pid {process})");
            }
        }
        catch (UnauthorizedAccessException)
        {
            closed = true;
        }
        catch (IOException)
        {
            // Gone.
        }
    }

    private BpfLink? ReadLink(string process, string descriptor)
    {
        Span<byte> buffer = stackalloc byte[MaxInfo];
        return SysfsReader.Read(root.Path($"/proc/{process}/fdinfo/{descriptor}"), buffer) is { } length ? BpfLinkParser.Parse(buffer[..length]) : null;
    }

    private string Comm(string process)
    {
        Span<byte> buffer = stackalloc byte[64];
        return SysfsReader.Read(root.Path($"/proc/{process}/comm"), buffer) is { } length
            ? Printable.Line(System.Text.Encoding.UTF8.GetString(buffer[..length].TrimEnd((byte)'\n')))
            : "a process";
    }
}
