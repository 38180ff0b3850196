// Builds a module with the data, symbols and relocations of a livepatch, as a compiler and linker would leave them.
using System.Buffers.Binary;
using System.Text;

namespace LivePatchd.Core.Tests.Elf;

public sealed class PatchImage
{
    public const string Data = ".data";
    public const string Bss = ".bss.zeros";
    public const string Code = ".text.new";
    public const string Strings = ".rodata.str1.1";
    public const string ThisModule = "__this_module";
    public const ushort Livepatch = 0xff20;
    public const ushort DataObject = 1;

    private const int ThisModuleSection = 4;

    private readonly List<(string Name, uint Type, ulong Flags, List<byte> Content)> sections = [];
    private readonly List<(string Name, byte Type, ushort Section, ulong Value, ulong Size)> symbols = [];
    private readonly List<(string Section, ulong At, string Symbol, long Addend, uint? Type)> relocations = [];

    public PatchImage()
    {
        Section(Code, 6, new byte[256]);
        Section(Strings, 2, [0]);
        Section(Data, 3);
        Section(Bss, 3, new byte[1024], type: 8);
        Symbol(ThisModule, ThisModuleSection, 0, 512);
        Symbol("klp_enable_patch", 0, 0, 0, type: 0);
    }

    public ushort Machine { get; init; } = 62;

    public string StructName { get; init; } = "lp_one";

    public List<string> ModInfo { get; init; } = ["license=GPL", "livepatch=Y", "name=lp_one", "vermagic=6.1.0-test SMP mod_unload "];

    /// <summary>As after `strip --strip-unneeded`: arrays have no symbols, so their sizes are not told.</summary>
    public bool WithoutSizes { get; init; }

    /// <summary>Behind the ELF file: a signature.</summary>
    public byte[] Tail { get; set; } = [];

    public List<ImageSection> Extra { get; } = [];

    /// <summary>Adds a section, and the symbol of its name that compilers refer to it by.</summary>
    public void Section(string name, ulong flags, byte[]? content = null, uint type = 1)
    {
        sections.Add((name, type, flags, [.. content ?? []]));
        Symbol(name, IndexOf(name), 0, 0, type: 3);
    }

    public void Symbol(string name, ushort section, ulong value, ulong size, byte type = (byte)DataObject) => symbols.Add((name, type, section, value, size));

    public void Without(string symbol) => symbols.RemoveAll(s => s.Name == symbol);

    public ushort IndexOf(string section) => (ushort)(ModuleImage.FirstLinked + sections.FindIndex(s => s.Name == section));

    /// <summary>Appends zeros and gives the place where they begin.</summary>
    public int Reserve(string section, int size)
    {
        var content = Content(section);
        content.AddRange(new byte[-content.Count & 7]);
        var at = content.Count;
        content.AddRange(new byte[size]);
        return at;
    }

    /// <summary>An array with a symbol of its own.</summary>
    public int Array(string name, int size)
    {
        var at = Reserve(Data, size);
        if (!WithoutSizes)
            Symbol(name, IndexOf(Data), (ulong)at, (ulong)size);
        return at;
    }

    public int Text(string text)
    {
        var content = Content(Strings);
        var at = content.Count;
        content.AddRange(Encoding.Latin1.GetBytes(text + "\0"));
        return at;
    }

    public void Set(string section, int at, ulong value, int size = 8)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        for (var i = 0; i < size; i++)
            Content(section)[at + i] = bytes[i];
    }

    public void Point(string section, long at, string symbol, long addend = 0, uint? type = null) => relocations.Add((section, (ulong)at, symbol, addend, type));

    public void PointToText(string section, long at, string text) => Point(section, at, Strings, Text(text));

    /// <summary>One `struct klp_patch` as a patch's author writes it; every function has the name and position given, every object its functions.</summary>
    public int HandWritten(bool replace, params (string? Object, (string Name, ulong Position)[] Functions)[] objects) =>
        HandWritten(152, 168, replace, objects);

    public int HandWritten(int functionSize, int objectSize, bool replace, params (string? Object, (string Name, ulong Position)[] Functions)[] objects)
    {
        var patch = Array("patch", 200);
        var array = Array("objs", objectSize * (objects.Length + 1));
        Point(Data, patch, ThisModule);
        Point(Data, patch + 8, Data, array);
        Set(Data, patch + 24, replace ? 1u : 0u);
        for (var i = 0; i < objects.Length; i++)
        {
            var at = array + (i * objectSize);
            if (objects[i].Object is { } name)
                PointToText(Data, at, name);
            var functions = objects[i].Functions;
            if (functions.Length == 0)
            {
                Point(Data, at + 8, Bss, 64);
                continue;
            }
            var funcs = Array($"funcs{i}", functionSize * (functions.Length + 1));
            Point(Data, at + 8, Data, funcs);
            for (var j = 0; j < functions.Length; j++)
            {
                PointToText(Data, funcs + (j * functionSize), functions[j].Name);
                Point(Data, funcs + (j * functionSize) + 8, Code, 16);
                Set(Data, funcs + (j * functionSize) + 16, functions[j].Position);
            }
        }
        return patch;
    }

    public void Kpatch(params (string Object, string Name, ulong Position)[] functions)
    {
        Section(".kpatch.funcs", 2);
        Section(".kpatch.strings", 2, [0]);
        foreach (var (objectName, name, position) in functions)
        {
            var at = Reserve(".kpatch.funcs", 56);
            Set(".kpatch.funcs", at + 8, 64);
            Set(".kpatch.funcs", at + 32, position);
            Point(".kpatch.funcs", at, Code);
            PointToText(".kpatch.funcs", at + 40, name);
            PointToText(".kpatch.funcs", at + 48, objectName);
        }
    }

    public void KpatchCallback(string kind, params string[] objects)
    {
        var section = $".kpatch.callbacks.{kind}";
        Section(section, 2);
        foreach (var name in objects)
        {
            var at = Reserve(section, 16);
            Point(section, at, Code);
            PointToText(section, at + 8, name);
        }
        Reserve(section, 8);
    }

    /// <summary>The arrays of klp-build in a section of this name.</summary>
    public void KlpBuild(string section, params (string? Object, (string Name, ulong Position)[] Functions)[] objects)
    {
        Section(section, 3);
        Section("klp_funcs", 3);
        foreach (var (name, functions) in objects)
        {
            var at = Reserve(section, 64);
            if (name is not null)
                PointToText(section, at, name);
            Set(section, at + 56, (ulong)functions.Length, 4);
            if (functions.Length > 0)
                Point(section, at + 8, "klp_funcs", Content("klp_funcs").Count);
            foreach (var (function, position) in functions)
            {
                var entry = Reserve("klp_funcs", 24);
                PointToText("klp_funcs", entry, function);
                Point("klp_funcs", entry + 8, Code, 32);
                Set("klp_funcs", entry + 16, position);
            }
        }
    }

    public byte[] Build()
    {
        var linked = sections.Select(s => new ImageSection(s.Name, s.Type, [.. s.Type == 8 ? [] : s.Content], s.Flags)).ToList();
        var symbolTable = ModuleImage.FirstLinked + linked.Count;
        linked.Add(new ImageSection(".symtab", 2, SymbolTable(out var names), Link: symbolTable + 1));
        linked.Add(new ImageSection(".strtab", 3, names));
        foreach (var target in relocations.GroupBy(r => r.Section))
            linked.Add(new ImageSection(".rela" + target.Key, 4, [.. target.SelectMany(Relocation)], 0, symbolTable, IndexOf(target.Key)));
        linked.AddRange(Extra);
        return [.. new ModuleImage { Machine = Machine, StructName = StructName, ModInfo = ModInfo, Linked = linked }.Build(), .. Tail];
    }

    /// <summary>What the kernel's sign-file appends.</summary>
    public static byte[] Trailer(byte[] message, byte idType = 2, byte hash = 0, int? length = null)
    {
        var descriptor = new byte[12];
        descriptor[1] = hash;
        descriptor[2] = idType;
        BinaryPrimitives.WriteInt32BigEndian(descriptor.AsSpan(8), length ?? message.Length);
        return [.. message, .. descriptor, .. "~Module signature appended~\n"u8];
    }

    private byte[] SymbolTable(out byte[] names)
    {
        var strings = new MemoryStream();
        strings.WriteByte(0);
        var table = new MemoryStream();
        table.Write(new byte[24]);
        foreach (var (name, type, section, value, size) in symbols)
        {
            var entry = new byte[24];
            BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)strings.Position);
            entry[4] = type;
            BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(6), section);
            BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(8), value);
            BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(16), size);
            table.Write(entry);
            strings.Write(Encoding.Latin1.GetBytes(name + "\0"));
        }
        names = strings.ToArray();
        return table.ToArray();
    }

    private byte[] Relocation((string Section, ulong At, string Symbol, long Addend, uint? Type) relocation)
    {
        var entry = new byte[24];
        var symbol = 1 + symbols.FindIndex(s => s.Name == relocation.Symbol);
        BinaryPrimitives.WriteUInt64LittleEndian(entry, relocation.At);
        BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(8), relocation.Type ?? (Machine == 183 ? 257u : 1u));
        BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(12), symbol);
        BinaryPrimitives.WriteInt64LittleEndian(entry.AsSpan(16), relocation.Addend);
        return entry;
    }

    private List<byte> Content(string section) => sections.Find(s => s.Name == section).Content;
}
