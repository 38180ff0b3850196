// Decompression from one of the daemon's file buffers into another.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Store;

internal static partial class Decompressor
{
    /// <summary>Exactly one of the two results is set.</summary>
    internal static (NativeBuffer? Image, Refusal? Refusal) Decompress(NativeBuffer source, ModuleCompression compression, int maxSize)
    {
        var allocated = NativeBuffer.Allocate(maxSize + 1);
        if (!allocated.IsOk)
            return (null, Refusal.Of(Reason.UnreadableFile, allocated.WithoutValue));
        var image = allocated.Value;
        var refusal = Decompress(source.Content, compression, image.All, out var length);
        if (refusal is null)
        {
            image.Length = length;
            return (image, null);
        }
        image.Dispose();
        return (null, refusal);
    }
}
