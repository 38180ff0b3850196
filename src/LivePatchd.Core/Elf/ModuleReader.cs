// Reads all there is to know from the bytes of a module for any machine, and says what it could not read.
using System.Buffers.Binary;
using System.Collections.Immutable;

namespace LivePatchd.Core.Elf;

/// <summary>Total: any bytes at all give a module or a reason. Work is linear in the file; what is kept is bounded by constants, not by the file.</summary>
public static class ModuleReader
{
    private const int MachineOffset = 18;

    public static ContentsResult Read(ReadOnlySpan<byte> image)
    {
        var machine = image.Length < MachineOffset + sizeof(ushort) ? (ushort)0 : BinaryPrimitives.ReadUInt16LittleEndian(image[MachineOffset..]);
        var inspected = ModuleInspector.Inspect(image, machine);
        if (!inspected.IsModule)
            return new ContentsResult(null, inspected.Reason, inspected.Detail);
        if (ElfSections.Open(image, machine, out var sections) is { } refused)
            return new ContentsResult(null, refused.Reason, refused.Detail);

        var notes = ImmutableArray.CreateBuilder<string>();
        sections.Find(".modinfo"u8, out var modinfo);
        var facts = ModInfoFacts.Read(modinfo, out var isCut);
        if (isCut)
            notes.Add("Some of .modinfo is left out: it is too long, or is not of the form key=value.");
        var data = new ElfPointers(sections, machine);
        var references = LivepatchReferences.Read(sections, data.Symbols);
        if (references.IsIncomplete)
            notes.Add("Some .klp.sym. and .klp.rela. references are left out: there are too many, or their names make no sense.");
        var tables = inspected.Module.Livepatch ? Tables(data) : default;
        if (tables.Problem is { } problem)
            notes.Add($"Which functions the patch replaces cannot be told from the file: {problem}.");

        return new ContentsResult(
            new ModuleContents(inspected.Module, machine, facts, tables.Tables, references.Objects(), SignatureTrailer.Read(image), notes.ToImmutable()),
            Reason: null,
            Detail: "");
    }

    private static TablesResult Tables(ElfPointers data)
    {
        if (ElfMachine.PointerRelocation(data.Machine) is null)
            return TablesResult.Unclear("the relocations of this machine are not known");
        var kpatch = KpatchTables.Read(data);
        var klpBuild = KlpBuildTables.Read(data);
        return kpatch.IsPresent && klpBuild.IsPresent ? TablesResult.Unclear("it has the tables of two tools")
            : kpatch.IsPresent ? kpatch
            : klpBuild.IsPresent ? klpBuild
            : HandWrittenTables.Read(data);
    }
}
