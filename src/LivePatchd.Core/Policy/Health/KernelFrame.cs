// A line of a kernel report that says where it happened: the module in it is named by the kernel, not by a program.
using System.Collections.Immutable;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy.Health;

/// <summary>
/// Tasks' names stand in a report too ("Comm: [lp_x]"), so a module counts only in a frame, "function+0x1/0x2 [module]", where a frame may
/// stand: behind nothing but these beginnings.
/// </summary>
internal static class KernelFrame
{
    // What the architectures' show_regs and show_stack write before a frame, and lib/bug.c and mm/kasan in their first lines.
    private static readonly ImmutableArray<string> Beginnings =
    [
        "", "? ", "RIP: $:", "pc : ", "lr : ", "epc : ", "ra : ", "EIP: ", "[<%>] ", "[<%>] ? ", "[%] [%] ", "NIP [%] ", "LR [%] ",
        "WARNING: CPU: $ PID: $ at ~:$ ", "WARNING: ~:$ at ", "BUG: KASAN: * in ", "BUG: KFENCE: * in ", "BUG: KMSAN: * in ", "BUG: KCSAN: * in ",
    ];

    private static readonly ImmutableArray<(string Head, string Place)> Places =
        [("WARNING: CPU: $ PID: $ at ", "~:$"), ("WARNING: ", "~:$ at ~+0x%/0x%"), ("kernel BUG at ", "~:$!")];

    /// <summary>The module of the frame, with the kernel's '_'; null when the line is none, or names none.</summary>
    public static string? Module(string line)
    {
        var text = line.TrimStart(' ');
        foreach (var beginning in Beginnings)
        {
            if (LineTemplate.Match(text, beginning) is { } taken && ModuleAt(text.AsSpan(taken)) is { } module)
                return module;
        }
        return null;
    }

    /// <summary>The source file that a first line names, without its ".c"; modules are built from files of their name.</summary>
    public static string? File(string line)
    {
        foreach (var (head, place) in Places)
        {
            if (LineTemplate.Match(line, head) is not { } taken || LineTemplate.Match(line.AsSpan(taken), place) is null)
                continue;
            var path = line[taken..].Split(':')[0];
            var name = path[(path.LastIndexOf('/') + 1)..];
            if (name.EndsWith(".c", StringComparison.Ordinal))
                return name[..^2].Replace('-', '_');
        }
        return null;
    }

    private static string? ModuleAt(ReadOnlySpan<char> text)
    {
        if (LineTemplate.Match(text, "~+0x%/0x% [") is not { } open)
            return null;
        var rest = text[open..];
        var close = rest.IndexOf(']');
        // A build id may follow the name.
        var blank = rest.IndexOf(' ');
        var end = blank >= 0 && blank < close ? blank : close;
        return end > 0 && IsEnd(rest[(close + 1)..]) ? new string(rest[..end]).Replace('-', '_') : null;
    }

    /// <summary>A frame ends its line, but for a mark such as " (P)", and the CPU in a newer warning.</summary>
    private static bool IsEnd(ReadOnlySpan<char> rest) =>
        rest.Trim(' ').IsEmpty || rest.StartsWith(", CPU#") || rest.StartsWith(" (") && rest.EndsWith(")") && rest.Length <= 16;
}
