// The input at work, in a mapped file: it is still there after a process that died of it.
using System.IO.MemoryMappedFiles;

namespace LivePatchd.Fuzz;

internal sealed class RunningInput : IDisposable
{
    private readonly string path;
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;

    public RunningInput(Target target)
    {
        path = Corpus.RunningOf(target);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        file = MemoryMappedFile.CreateFromFile(path, FileMode.Create, null, sizeof(int) + target.MaxLength);
        view = file.CreateViewAccessor();
    }

    public unsafe void Set(ReadOnlySpan<byte> input)
    {
        view.Write(0, input.Length);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        input.CopyTo(new Span<byte>(start + sizeof(int), input.Length));
        view.SafeMemoryMappedViewHandle.ReleasePointer();
    }

    public static byte[]? Read(Target target)
    {
        var path = Corpus.RunningOf(target);
        if (!File.Exists(path))
            return null;
        var bytes = File.ReadAllBytes(path);
        return bytes.AsSpan(sizeof(int), BitConverter.ToInt32(bytes)).ToArray();
    }

    /// <summary>An orderly end leaves no file.</summary>
    public void Dispose()
    {
        view.Dispose();
        file.Dispose();
        File.Delete(path);
    }
}
