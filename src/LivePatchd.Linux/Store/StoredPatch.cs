// A patch file as the private store holds it: the bytes that were verified and will be loaded.
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Store;

/// <param name="StorePath">Path on the host (not under the test root's prefix).</param>
/// <param name="Image">Digest of the copy in the store, which is never compressed: what was inspected, what is loaded.</param>
/// <param name="Signature">Of the module itself.</param>
public sealed record StoredPatch(PatchModule Module, string StorePath, Sha256 Image, SignatureEvidence Signature)
{
    public Sha256 Digest => Module.Digest;
}

/// <summary>Exactly one of the two is set.</summary>
public sealed record IntakeResult(StoredPatch? Stored, RefusedFile? Refused);
