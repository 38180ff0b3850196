// One small file of /proc or /sys that is read again and again into a buffer that is kept.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Pressure;

/// <summary>
/// On the real root the file stays open: a reading is one pread(2). Elsewhere it is opened each time, as what stands for /proc there
/// may be replaced. A file that is not there is looked for again at the next reading.
/// </summary>
internal sealed class CounterFile(SystemRoot root, string path) : IDisposable
{
    /// <summary>A line of softnet_stat for each of 8192 CPUs, and then some.</summary>
    internal const int MaxSize = 2 << 20;

    private byte[] buffer = new byte[1024];
    private SafeFileHandle? file;

    public string Path { get; } = path;

    /// <summary>The content is valid until the next reading. EFBIG for a file that does not fit.</summary>
    public SysResult Read(out ReadOnlySpan<byte> content)
    {
        content = default;
        if (file is null)
        {
            // Non-blocking: a test tree may hold anything under the name of a file.
            var opened = Sys.Open(root.Path(Path), LibC.ReadOnly | LibC.NonBlock);
            if (!opened.IsOk)
                return opened.WithoutValue;
            file = opened.Value;
        }
        var read = Fill(file);
        if (!root.IsReal || !read.IsOk)
            Dispose();
        if (read.IsOk)
            content = buffer.AsSpan(0, read.Value);
        return read.WithoutValue;
    }

    public void Dispose()
    {
        file?.Dispose();
        file = null;
    }

    private SysResult<int> Fill(SafeFileHandle from)
    {
        while (true)
        {
            var read = Sys.ReadFromStart(from, buffer);
            if (!read.IsOk || read.Value < buffer.Length)
                return read;
            if (buffer.Length >= MaxSize)
                return SysResult.Fail<int>(Errno.EFBIG, "pread");
            buffer = new byte[buffer.Length * 4 > MaxSize ? MaxSize : buffer.Length * 4];
        }
    }
}
