// One line of /proc/kallsyms: "address type name", and for what a module brought along "\t[module]".
namespace LivePatchd.Core.Parsing;

/// <summary>The address is of no interest, which is why kernel.kptr_restrict does not matter.</summary>
public readonly ref struct KernelSymbolLine
{
    private KernelSymbolLine(ReadOnlySpan<byte> name, ReadOnlySpan<byte> module)
    {
        Name = name;
        Module = module;
    }

    public ReadOnlySpan<byte> Name { get; }

    /// <summary>Empty for the kernel itself. Also of code that belongs to no module, such as "bpf" and "__builtin__ftrace".</summary>
    public ReadOnlySpan<byte> Module { get; }

    /// <param name="line">Without its end.</param>
    public static bool TryParse(ReadOnlySpan<byte> line, out KernelSymbolLine symbol)
    {
        symbol = default;
        // "ffffffff81000000 T name" and perhaps "<tab>[module]".
        var first = line.IndexOf((byte)' ');
        if (first <= 0 || line.Length < first + 4 || line[first + 2] != (byte)' ' || TextFields.Number(line[..first], 'x') is null)
            return false;
        var name = line[(first + 3)..];
        var tab = name.IndexOf((byte)'\t');
        var module = tab < 0 ? default : name[(tab + 1)..];
        name = tab < 0 ? name : name[..tab];
        if (name.IsEmpty || name.IndexOf((byte)' ') >= 0 || (tab >= 0 && module is not [(byte)'[', _, .., (byte)']']))
            return false;
        symbol = new KernelSymbolLine(name, tab < 0 ? default : module[1..^1]);
        return true;
    }

    /// <summary>What the compiler appends: ".llvm.HASH", ".cold", ".constprop.0", ".isra.0", ".part.0". The base is the name as it was written.</summary>
    public static int BaseLength(ReadOnlySpan<byte> name) => name.IndexOf((byte)'.') is > 0 and var dot ? dot : name.Length;
}
