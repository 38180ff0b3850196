// One line of /proc/kallsyms: "address type name", and for what a module brought along "\t[module]".
namespace LivePatchd.Core.Parsing;

/// <summary>The address serves only to tell that two names are of one function; kernel.kptr_restrict may hide it.</summary>
public readonly ref struct KernelSymbolLine
{
    private KernelSymbolLine(ulong address, ReadOnlySpan<byte> name, ReadOnlySpan<byte> module)
    {
        Address = address;
        Name = name;
        Module = module;
    }

    /// <summary>0 when it is hidden, and of what is not in kallsyms.</summary>
    public ulong Address { get; }

    public ReadOnlySpan<byte> Name { get; }

    /// <summary>Empty for the kernel itself. Also of code that belongs to no module, such as "bpf" and "__builtin__ftrace".</summary>
    public ReadOnlySpan<byte> Module { get; }

    /// <param name="line">Without its end.</param>
    public static bool TryParse(ReadOnlySpan<byte> line, out KernelSymbolLine symbol)
    {
        symbol = default;
        // "ffffffff81000000 T name" and perhaps "<tab>[module]".
        var first = line.IndexOf((byte)' ');
        if (first <= 0 || line.Length < first + 4 || line[first + 2] != (byte)' ' || TextFields.Number(line[..first], 'x') is not { } address)
            return false;
        var name = line[(first + 3)..];
        var tab = name.IndexOf((byte)'\t');
        var module = tab < 0 ? default : name[(tab + 1)..];
        name = tab < 0 ? name : name[..tab];
        if (name.IsEmpty || name.IndexOf((byte)' ') >= 0 || (tab >= 0 && module is not [(byte)'[', _, .., (byte)']']))
            return false;
        symbol = new KernelSymbolLine(address, name, tab < 0 ? default : module[1..^1]);
        return true;
    }

    /// <summary>A line of tracefs' available_filter_functions: "name" or "name [module]".</summary>
    public static bool TryParseTraceable(ReadOnlySpan<byte> line, out KernelSymbolLine symbol)
    {
        symbol = default;
        var blank = line.IndexOf((byte)' ');
        var name = blank < 0 ? line : line[..blank];
        var module = blank < 0 ? default : line[(blank + 1)..];
        if (name.IsEmpty || (blank >= 0 && (module is not [(byte)'[', _, .., (byte)']'] || module.IndexOf((byte)' ') >= 0)))
            return false;
        symbol = new KernelSymbolLine(0, name, blank < 0 ? default : module[1..^1]);
        return true;
    }

    /// <summary>What the compiler appends: ".llvm.HASH", ".cold", ".constprop.0", ".isra.0", ".part.0". The base is the name as it was written.</summary>
    public static int BaseLength(ReadOnlySpan<byte> name) => name.IndexOf((byte)'.') is > 0 and var dot ? dot : name.Length;
}
