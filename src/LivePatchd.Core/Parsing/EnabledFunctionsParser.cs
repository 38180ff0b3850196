// Reads tracefs' enabled_functions: each function that something is attached to, and by what.
using System.Text;

namespace LivePatchd.Core.Parsing;

/// <param name="Module">Null for the kernel itself.</param>
/// <param name="IpModify">Somebody may redirect its calls; only one at a time can: flag I.</param>
/// <param name="IsDirect">Called past ftrace, as BPF programs are: flag D.</param>
/// <param name="Direct">Symbol of the direct callee, such as "bpf_trampoline_6442536467".</param>
/// <param name="Handler">Symbol of the one handler, where the kernel names it, such as "klp_ftrace_handler".</param>
public sealed record TracedFunction(string Name, string? Module, bool IpModify, bool IsDirect, string? Direct, string? Handler)
{
    /// <summary>Of the direct callee, where it was found: "program 77 of bpftrace (pid 1234)".</summary>
    public string? Owner { get; init; }

    public bool IsOf(string function, string owner) =>
        Name == function && (Module ?? Elf.PatchedObject.Vmlinux) == owner;
}

/// <summary>Takes the file line by line; a function's line is complete when the next function begins.</summary>
public sealed class EnabledFunctionsParser
{
    private const int MaxSymbol = 128;

    private TracedFunction? open;

    /// <returns>The function before, once its last line has been seen.</returns>
    public TracedFunction? Take(ReadOnlySpan<byte> line)
    {
        if (line.TrimStart("\t "u8) is var rest && rest.StartsWith("direct"u8) && rest.IndexOf("-->"u8) is > 0 and var arrow)
        {
            if (open is { IsDirect: true })
                open = open with { Direct = Symbol(rest[(arrow + 3)..]) };
            return null;
        }
        var finished = open;
        open = Function(line);
        return finished;
    }

    /// <summary>The last function of the file.</summary>
    public TracedFunction? End()
    {
        var finished = open;
        open = null;
        return finished;
    }

    // "name [module] (count) R I D O M <tab>tramp: 0xffffffffc0a00000 (handler+0x0/0x10) ->func"
    private static TracedFunction? Function(ReadOnlySpan<byte> line)
    {
        if (!TextFields.TakeWord(ref line, out var name) || !TextFields.TakeWord(ref line, out var next))
            return null;
        string? module = null;
        if (next is [(byte)'[', _, .., (byte)']'])
        {
            module = Text(next[1..^1]);
            if (!TextFields.TakeWord(ref line, out next))
                return null;
        }
        if (next is not [(byte)'(', _, .., (byte)')'] || TextFields.Number(next[1..^1]) is null)
            return null;
        var handler = Handler(line);
        bool ipModify = false, direct = false;
        while (TextFields.TakeWord(ref line, out var flag) && flag.Length == 1)
        {
            ipModify |= flag[0] == (byte)'I';
            direct |= flag[0] == (byte)'D';
        }
        return new TracedFunction(Text(name), module, ipModify, direct, null, handler);
    }

    private static string? Handler(ReadOnlySpan<byte> line)
    {
        var at = line.IndexOf("tramp:"u8);
        if (at < 0)
            return null;
        var trampoline = line[at..];
        var open = trampoline.IndexOf((byte)'(');
        var close = trampoline.IndexOf((byte)')');
        return open > 0 && close > open ? Symbol(trampoline[(open + 1)..close]) : null;
    }

    // "symbol+0x0/0x10" or "symbol+0x0/0x10 [module]"
    private static string? Symbol(ReadOnlySpan<byte> text)
    {
        if (!TextFields.TakeWord(ref text, out var symbol))
            return null;
        var plus = symbol.IndexOf((byte)'+');
        return Text(plus < 0 ? symbol : symbol[..plus]);
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Printable.Line(Encoding.UTF8.GetString(bytes), MaxSymbol);
}
