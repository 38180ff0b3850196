// Reads the kernel's list of kprobes, and the names that tracefs' kprobe_events gives to some of them.
using System.Text;

namespace LivePatchd.Core.Parsing;

/// <param name="Module">Null for the kernel itself.</param>
/// <param name="IsReturn">It fires when the function returns.</param>
/// <param name="OnFtrace">It sits on the function's ftrace location and fires through ftrace; else it is a breakpoint in the old code.</param>
/// <param name="IsOff">Disabled, or its code is gone: it fires no more as it is.</param>
public sealed record ProbePoint(string Symbol, ulong Offset, string? Module, bool IsReturn, bool OnFtrace, bool IsOff);

/// <param name="Name">"group/event", as under events/ in tracefs.</param>
/// <param name="Module">Null for the kernel itself, and where the event does not say.</param>
public sealed record ProbeEvent(string Name, string Symbol, ulong Offset, string? Module, bool IsReturn);

public static class KprobeParser
{
    private const int MaxName = 128;

    /// <summary>A line of /sys/kernel/debug/kprobes/list: "address  k  symbol+0xoffset  [module]  [FTRACE]". Null when it is none.</summary>
    public static ProbePoint? Point(ReadOnlySpan<byte> line)
    {
        if (!TextFields.TakeWord(ref line, out var address) || TextFields.Number(address, 'x') is null
            || !TextFields.TakeWord(ref line, out var type) || type.Length != 1 || type[0] is not ((byte)'k' or (byte)'r' or (byte)'j')
            || !TextFields.TakeWord(ref line, out var place) || Place(place) is not { } at)
            return null;
        string? module = null;
        bool ftrace = false, off = false;
        while (TextFields.TakeWord(ref line, out var word))
        {
            // Flags are written without blanks between them.
            ftrace |= word.IndexOf("[FTRACE]"u8) >= 0;
            off |= word.IndexOf("[DISABLED]"u8) >= 0 || word.IndexOf("[GONE]"u8) >= 0;
            if (module is null && !IsFlag(word))
                module = Text(word is [(byte)'[', _, .., (byte)']'] ? word[1..^1] : word);
        }
        return new ProbePoint(at.Symbol, at.Offset, module, type[0] == (byte)'r', ftrace, off);
    }

    /// <summary>A line of kprobe_events: "p:group/event [module:]symbol[+offset] arguments". Null when it is none, or names an address.</summary>
    public static ProbeEvent? Event(ReadOnlySpan<byte> line)
    {
        if (!TextFields.TakeWord(ref line, out var head) || head is not [(byte)'p' or (byte)'r', ..]
            || head.IndexOf((byte)':') is not (> 0 and var colon) || colon + 1 == head.Length
            || !TextFields.TakeWord(ref line, out var place))
            return null;
        string? module = null;
        if (place.IndexOf((byte)':') is > 0 and var split)
        {
            module = Text(place[..split]);
            place = place[(split + 1)..];
        }
        return Place(place) is { } at
            ? new ProbeEvent(Text(head[(colon + 1)..]), at.Symbol, at.Offset, module, head[0] == (byte)'r')
            : null;
    }

    private static bool IsFlag(ReadOnlySpan<byte> word) =>
        word.StartsWith("[FTRACE]"u8) || word.StartsWith("[DISABLED]"u8) || word.StartsWith("[GONE]"u8) || word.StartsWith("[OPTIMIZED]"u8);

    private static (string Symbol, ulong Offset)? Place(ReadOnlySpan<byte> text)
    {
        var plus = text.IndexOf((byte)'+');
        var symbol = plus < 0 ? text : text[..plus];
        // "%return" is how newer tools write a return probe.
        if (symbol.IndexOf((byte)'%') is > 0 and var percent)
            symbol = symbol[..percent];
        if (symbol.IsEmpty || symbol[0] is >= (byte)'0' and <= (byte)'9')
            return null;
        if (plus < 0)
            return (Text(symbol), 0);
        var digits = text[(plus + 1)..];
        if (digits.IndexOf((byte)'/') is >= 0 and var slash)
            digits = digits[..slash];
        if (digits.IndexOf((byte)'%') is > 0 and var end)
            digits = digits[..end];
        var offset = digits.StartsWith("0x"u8) ? TextFields.Number(digits[2..], 'x') : TextFields.Number(digits);
        return offset is { } value ? (Text(symbol), value) : null;
    }

    private static string Text(ReadOnlySpan<byte> bytes) => Printable.Line(Encoding.UTF8.GetString(bytes), MaxName);
}
