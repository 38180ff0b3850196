// What a crash host and its kernel, which lives in the parent, say to each other: one request, one errno.
using System.Text;
using LivePatchd.Core.Model;

namespace LivePatchd.CrashHost;

internal enum KernelCall : byte
{
    Load = 1,
    Enable,
    Disable,
    Force,
    Unload,

    /// <summary>The host dies at the failpoint of this name: no answer is waited for.</summary>
    Dying,
}

internal static class KernelWire
{
    public static BinaryReader Reader(Stream stream) => new(stream, Encoding.UTF8, leaveOpen: true);

    /// <summary>In one write, so that the parent has all of a request or none.</summary>
    public static void Ask(Stream stream, KernelCall call, string name, ReadOnlySpan<byte> image)
    {
        using var request = new MemoryStream();
        using var writer = new BinaryWriter(request, Encoding.UTF8);
        writer.Write((byte)call);
        writer.Write(name);
        writer.Write(image.Length);
        writer.Write(image);
        writer.Flush();
        stream.Write(request.GetBuffer().AsSpan(0, (int)request.Length));
    }

    public static (KernelCall Call, string Name, byte[] Image) Take(BinaryReader reader)
    {
        var call = (KernelCall)reader.ReadByte();
        var name = reader.ReadString();
        var length = reader.ReadInt32();
        var image = reader.ReadBytes(length);
        return image.Length == length ? (call, name, image) : throw new EndOfStreamException();
    }

    public static void Answer(Stream stream, Errno errno) => stream.Write(BitConverter.GetBytes((int)errno));
}
