// Reads /proc/PID/fdinfo/FD of a BPF link: which program it attaches, and by which trampoline.
namespace LivePatchd.Core.Parsing;

/// <param name="Trampoline">Number in the symbol "bpf_trampoline_NUMBER"; null when the link is none to a kernel function, or the kernel does not say.</param>
public sealed record BpfLink(ulong Program, ulong? Trampoline);

public static class BpfLinkParser
{
    private const string SymbolHead = "bpf_trampoline_";

    // What the kernel sets in the key of a function of its own, and leaves out in what it shows.
    private const ulong KernelFunction = 0x8000_0000;

    /// <summary>Null when it is no link.</summary>
    public static BpfLink? Parse(ReadOnlySpan<byte> text)
    {
        ulong? program = null, target = null, function = null;
        while (TextFields.TakeLine(ref text, out var line))
        {
            if (!TextFields.TakeWord(ref line, out var key) || !TextFields.TakeWord(ref line, out var value))
                continue;
            if (key.SequenceEqual("prog_id:"u8))
                program = TextFields.Number(value);
            else if (key.SequenceEqual("target_obj_id:"u8))
                target = TextFields.Number(value);
            else if (key.SequenceEqual("target_btf_id:"u8))
                function = TextFields.Number(value);
        }
        return program is not { } id ? null
            : new BpfLink(id, target is { } t and <= uint.MaxValue && function is { } f and < KernelFunction ? (t << 32) | KernelFunction | f : null);
    }

    /// <summary>Null when the symbol is none of a trampoline.</summary>
    public static ulong? Trampoline(string symbol)
    {
        ArgumentNullException.ThrowIfNull(symbol);
        return symbol.StartsWith(SymbolHead, StringComparison.Ordinal)
            && ulong.TryParse(symbol.AsSpan(SymbolHead.Length), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
    }
}
