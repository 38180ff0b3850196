// /dev/kmsg of a test's root: a pipe that keeps records apart, as the device does.
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.EndToEnd.Tests;

internal sealed partial class FakeKernelLog : IDisposable
{
    private const int ReadWrite = 2;
    private const int SetFlags = 4;
    private static readonly int Direct = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 0x10000 : 0x4000;

    private readonly SafeFileHandle pipe;
    private readonly TestHost host;
    private ulong sequence = 100;

    /// <summary>Before the daemon starts.</summary>
    public FakeKernelLog(TestHost host)
    {
        this.host = host;
        host.MakeDirectory("/dev");
        var path = host.Root.Path("/dev/kmsg");
        Assert.Equal(0, mkfifo(path, 0x1A4));
        pipe = new SafeFileHandle(open(path, ReadWrite, 0), ownsHandle: true);
        // Of a pipe this is the mode in which each write is one read.
        Assert.Equal(0, fcntl(pipe, SetFlags, Direct));
    }

    /// <summary>Written by the kernel, as an error; an oops is counted where the kernel counts.</summary>
    public void Say(params string[] lines)
    {
        var counter = host.Root.Path("/sys/kernel/oops_count");
        if (lines[0].StartsWith("BUG: ", StringComparison.Ordinal) && File.Exists(counter))
            host.Write("/sys/kernel/oops_count", $"{int.Parse(File.ReadAllText(counter), System.Globalization.CultureInfo.InvariantCulture) + 1}\n");
        SayOnly(lines);
    }

    /// <summary>Written by the kernel, in words that a program may have chosen: nothing is counted.</summary>
    public void SayOnly(params string[] lines) => Write(3, lines);

    /// <summary>Written by a program: facility 1.</summary>
    public void SayAsProgram(string line) => Write((1 << 3) | 3, line);

    public void Dispose() => pipe.Dispose();

    private void Write(int prefix, params string[] lines)
    {
        foreach (var line in lines)
        {
            var micros = (long)host.Time.GetElapsedTime(0).TotalMicroseconds;
            var record = System.Text.Encoding.UTF8.GetBytes($"{prefix},{++sequence},{micros},-;{line}\n");
            Assert.Equal(record.Length, (int)write(pipe, record, record.Length));
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkfifo(string path, uint mode);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc")]
    private static partial nint write(SafeFileHandle fd, byte[] buffer, nint count);

    [LibraryImport("libc")]
    private static partial int fcntl(SafeFileHandle fd, int command, int argument);
}
