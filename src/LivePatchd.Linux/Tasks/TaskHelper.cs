// The two things that take CAP_SYS_PTRACE or CAP_SYS_ADMIN, read by a process that has nothing else: its service is
// livepatchd-tasks@.service, one for each connection to livepatchd-tasks.socket.
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Preflight;

namespace LivePatchd.Linux.Tasks;

/// <summary>
/// A message is a question, and is answered by one: a byte that is 0 or the errno, then the text. The questions are a task's number, for its
/// kernel stack, and <see cref="Links"/>, for the owners of BPF programs. Nothing else can be asked, and nothing is changed.
/// </summary>
public static class TaskHelper
{
    public const string SocketPath = "/run/livepatchd-tasks.sock";

    internal const string Links = "bpf-links";

    /// <summary>Of the answer's text, in bytes. Stacks have 64 frames at most.</summary>
    internal const int MaxText = 16 << 10;

    internal const int MaxQuestion = 16;

    /// <summary>Answers until the other side closes the connection or sends what is no question.</summary>
    public static void Serve(Socket connection, SystemRoot root)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(root);
        Span<byte> question = stackalloc byte[MaxQuestion + 1];
        var answer = new byte[1 + MaxText];
        try
        {
            while (connection.Receive(question) is > 0 and <= MaxQuestion and var length)
            {
                var text = Encoding.ASCII.GetString(question[..length]);
                if (text == Links)
                    connection.Send(answer.AsSpan(0, 1 + LinksInto(root, answer)));
                else if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var tid) && tid > 0)
                    connection.Send(answer.AsSpan(0, 1 + StackInto(root, tid, answer)));
                else
                    return;
            }
        }
        catch (SocketException)
        {
            // The daemon has gone, or has given up waiting.
        }
    }

    private static int StackInto(SystemRoot root, int tid, byte[] answer)
    {
        var opened = Sys.Open(root.Path("/proc"), LibC.ReadOnly | LibC.Directory);
        var read = -(int)opened.Errno;
        if (opened.IsOk)
        {
            using var proc = opened.Value;
            read = TaskFiles.Read((int)proc.DangerousGetHandle(), tid, "/stack"u8, answer.AsSpan(1));
            GC.KeepAlive(proc);
        }
        answer[0] = (byte)(read < 0 ? Math.Min(-read, byte.MaxValue) : 0);
        return Math.Max(read, 0);
    }

    private static int LinksInto(SystemRoot root, byte[] answer)
    {
        answer[0] = 0;
        var length = 0;
        foreach (var (trampoline, holder) in new BpfLinks(root).Look(null))
        {
            var line = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{trampoline} {holder}\n"));
            if (length + line.Length > MaxText)
                break;
            line.CopyTo(answer.AsSpan(1 + length));
            length += line.Length;
        }
        return length;
    }
}
