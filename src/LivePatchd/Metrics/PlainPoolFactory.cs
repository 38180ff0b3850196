// Memory pools for Kestrel that no timer tends: its own factory looks every ten seconds for blocks to give back.
using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace LivePatchd.Metrics;

/// <summary>An idle daemon has no connection, so there is nothing to give back; the shared pool is trimmed by the collector.</summary>
internal sealed class PlainPoolFactory : IMemoryPoolFactory<byte>
{
    public MemoryPool<byte> Create(MemoryPoolOptions? options) => new BlockPool();

    /// <summary>Kestrel disposes its pools; the shared one must outlive them.</summary>
    private sealed class BlockPool : MemoryPool<byte>
    {
        private const int BlockSize = 4096;

        public override int MaxBufferSize => BlockSize;

        public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockSize);
            return Shared.Rent(BlockSize);
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
