// What a patch will touch in the running kernel, as far as its file tells: kept of an inspected file for as long as the file is wanted.
using System.Collections.Immutable;

namespace LivePatchd.Core.Elf;

/// <param name="Tables">Null when the file does not tell for sure which functions it replaces.</param>
/// <param name="References">What its code refers to in the objects it patches.</param>
public sealed record PatchFootprint(PatchTables? Tables, ImmutableArray<ReferencedObject> References)
{
    public static PatchFootprint Unknown { get; } = new(null, []);

    /// <summary>Null when the bytes are no module.</summary>
    public static PatchFootprint? Read(ReadOnlySpan<byte> image) =>
        ModuleReader.Read(image) is { IsModule: true, Contents: var contents } ? new PatchFootprint(contents.Patch, contents.References) : null;

    /// <summary>The modules it patches or refers to; not the kernel itself.</summary>
    public IEnumerable<string> TargetModules() =>
        (Tables?.Objects ?? []).Select(static o => o.Name).Concat(References.Select(static r => r.Object))
            .Where(static name => name != PatchedObject.Vmlinux)
            .Distinct(StringComparer.Ordinal);

    public IEnumerable<(string Object, PatchedFunction Function)> Functions() =>
        (Tables?.Objects ?? []).SelectMany(static o => o.Functions.Select(f => (o.Name, f)));
}
