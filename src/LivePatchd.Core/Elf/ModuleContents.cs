// Everything that can be told about a module from its bytes alone.
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Elf;

/// <param name="Machine">By its ELF number: <see cref="ElfMachine"/>.</param>
/// <param name="Facts">All of .modinfo.</param>
/// <param name="Patch">What it replaces; null when the module is no livepatch, or when that cannot be told for sure.</param>
/// <param name="References">What its code refers to in the objects it patches.</param>
/// <param name="Signature">Null when there is none.</param>
/// <param name="Notes">What was not read, and why; a sentence each.</param>
public sealed record ModuleContents(
    ModuleInfo Info,
    ushort Machine,
    ImmutableArray<ModInfoFact> Facts,
    PatchTables? Patch,
    ImmutableArray<ReferencedObject> References,
    ModuleSignature? Signature,
    ImmutableArray<string> Notes)
{
    /// <summary>The first value of a .modinfo key, which is the one that counts.</summary>
    public string? Fact(string key) => Facts.FirstOrDefault(f => f.Key == key)?.Value;
}

/// <param name="Contents">Set when the file is a kernel module (a livepatch or not).</param>
/// <param name="Reason">Set when it is not.</param>
/// <param name="Detail">One line that says which part is at fault; empty on success.</param>
public sealed record ContentsResult(ModuleContents? Contents, Reason? Reason, string Detail)
{
    [MemberNotNullWhen(true, nameof(Contents))]
    [MemberNotNullWhen(false, nameof(Reason))]
    public bool IsModule => Contents is not null;
}
