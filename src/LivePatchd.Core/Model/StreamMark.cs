// Where a stream of patches has got to on this host: the highest sequence that was ever active, for one kernel and one signer.
using System.Collections.Immutable;

namespace LivePatchd.Core.Model;

/// <param name="Release">Kernel release the patches are for.</param>
/// <param name="Stream">The manifest's `stream`.</param>
/// <param name="Key">Of the manifest's verified signature; empty when there is none.</param>
public sealed record StreamId(string Release, string Stream, string Key);

/// <param name="Builds">The patches that were active with this sequence.</param>
public sealed record StreamState(int Sequence, ImmutableDictionary<PatchName, Sha256> Builds);

/// <summary>One patch's place in its stream.</summary>
public sealed record StreamMark(StreamId Id, int Sequence);
