// What a patch file says about the functions it replaces: objects, functions, callbacks, system states.
using System.Collections.Immutable;

namespace LivePatchd.Core.Elf;

/// <summary>How the tables came into the file, and so how surely they are read.</summary>
public enum PatchTablesSource
{
    /// <summary>The section .kpatch.funcs.</summary>
    KpatchBuild,

    /// <summary>The arrays that the kernel's own klp-build leaves.</summary>
    KlpBuild,

    /// <summary>struct klp_patch in the module's data: not self-describing, recognised by its layout.</summary>
    HandWritten,
}

/// <param name="Objects">In the file's order; "vmlinux" is the kernel itself.</param>
/// <param name="Replace">A cumulative patch; null where only the module's code knows.</param>
/// <param name="States">The system states it declares.</param>
public sealed record PatchTables(
    PatchTablesSource Source,
    ImmutableArray<PatchedObject> Objects,
    bool? Replace,
    ImmutableArray<SystemState> States)
{
    public int FunctionCount => Objects.Sum(static o => o.Functions.Length);
}

/// <param name="Callbacks">The functions of the patch that run before and after (un)patching this object.</param>
public sealed record PatchedObject(string Name, ImmutableArray<PatchedFunction> Functions, PatchCallbacks Callbacks)
{
    /// <summary>What the object of the kernel itself is called.</summary>
    public const string Vmlinux = "vmlinux";

    /// <summary>The file has the text "vmlinux" where the kernel itself is a null pointer.</summary>
    public bool IsNamedVmlinux { get; init; }
}

/// <param name="Position">Which of several symbols of this name, from 1; 0 when the name must be the only one.</param>
public sealed record PatchedFunction(string Name, ulong Position);

public sealed record SystemState(ulong Id, uint Version);

[Flags]
public enum PatchCallbacks
{
    None = 0,
    PrePatch = 1,
    PostPatch = 2,
    PreUnpatch = 4,
    PostUnpatch = 8,
}

/// <summary>Neither when the file has no such tables.</summary>
internal readonly record struct TablesResult(PatchTables? Tables, string? Problem)
{
    internal bool IsPresent => Tables is not null || Problem is not null;

    internal static TablesResult Unclear(string problem) => new(null, problem);

    /// <summary>The problem, unless the budget was the real one.</summary>
    internal static TablesResult Unclear(TableBudget budget, string problem) => new(null, budget.IsExceeded ? TableBudget.Exceeded : problem);
}
