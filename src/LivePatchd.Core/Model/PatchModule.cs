// What inspection found inside a patch file: the facts that admission and identity rest on.
using System.Collections.Immutable;
using LivePatchd.Core.Elf;

namespace LivePatchd.Core.Model;

/// <param name="Name">Module name from .gnu.linkonce.this_module, not the file's name.</param>
/// <param name="Vermagic">The whole vermagic string; its first word is the kernel release it was built for.</param>
/// <param name="Livepatch">`livepatch=Y` in .modinfo.</param>
/// <param name="Signed">The file ends with the kernel's signature marker (not a statement that it verifies).</param>
public sealed record ModuleInfo(
    PatchName Name,
    string Vermagic,
    bool Livepatch,
    bool Signed,
    BuildId? BuildId,
    string? SrcVersion,
    string? License,
    ImmutableArray<string> Depends)
{
    /// <summary>Who signed it, where one of them must be known to the kernel itself; empty where that is not so, or not known.</summary>
    public ImmutableArray<ModuleSigner> Signers { get; init; } = [];

    /// <summary>First word of vermagic: must equal uname -r.</summary>
    public string KernelRelease => Vermagic.Split(' ', 2)[0];
}

/// <param name="Digest">Of the file as dropped (compressed bytes when compressed).</param>
/// <param name="Size">Bytes of the file as dropped.</param>
public sealed record PatchModule(ModuleInfo Info, Sha256 Digest, ModuleCompression Compression, long Size)
{
    public PatchName Name => Info.Name;

    public BuildId? BuildId => Info.BuildId;

    /// <summary>Digest of the decompressed image without its signature trailer.</summary>
    public Sha256? Content { get; init; }

    public PatchIdentity Identity => new(Digest, Content);

    /// <summary>What it touches in the kernel; null when that was not looked for.</summary>
    public PatchFootprint? Footprint { get; init; }
}
