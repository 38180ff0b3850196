// Asks the helper for what the daemon itself may not read. See TaskHelper.
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using LivePatchd.Core.Model;

namespace LivePatchd.Linux.Tasks;

/// <summary>
/// For one pass, connected at its first question. A task that is being executed can hold the reader of its stack for as long as it
/// likes: such an answer is waited for once for two seconds, and the next question goes to another helper.
/// </summary>
internal sealed class TaskQuestions(SystemRoot root) : IDisposable
{
    private const int MaxLate = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly byte[] answer = new byte[1 + TaskHelper.MaxText];
    private Socket? helper;
    private int late;
    private Errno absent;

    /// <returns>The length of the stack's text in <paramref name="into"/>, or the negative errno; ETIMEDOUT where it did not come in time.</returns>
    internal int Stack(int tid, Span<byte> into)
    {
        var length = Ask(tid.ToString(CultureInfo.InvariantCulture));
        if (length < 0)
            return length;
        length = Math.Min(length, into.Length);
        answer.AsSpan(1, length).CopyTo(into);
        return length;
    }

    /// <summary>What holds BPF programs, by the number of its trampoline; empty when it cannot be asked.</summary>
    internal Dictionary<ulong, string> Links()
    {
        var found = new Dictionary<ulong, string>();
        var length = Ask(TaskHelper.Links);
        if (length <= 0)
            return found;
        foreach (var line in Encoding.UTF8.GetString(answer, 1, length).Split('\n'))
        {
            if (line.Split(' ', 2) is [var number, var holder] && ulong.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var trampoline))
                found.TryAdd(trampoline, holder);
        }
        return found;
    }

    /// <summary>The helper ends too.</summary>
    public void Dispose() => helper?.Dispose();

    private int Ask(string question)
    {
        if (absent is not Errno.None)
            return -(int)absent;
        try
        {
            helper ??= Connect();
            helper.Send(Encoding.ASCII.GetBytes(question));
            var length = helper.Receive(answer);
            if (length > 0)
                return answer[0] == 0 ? length - 1 : -answer[0];
            absent = Errno.EPIPE;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            helper?.Dispose();
            helper = null;
            if (++late == MaxLate)
                absent = Errno.ETIMEDOUT;
            return -(int)Errno.ETIMEDOUT;
        }
        catch (SocketException e)
        {
            absent = e.SocketErrorCode is SocketError.AddressNotAvailable ? Errno.ENOENT : Errno.ECONNREFUSED;
        }
        helper?.Dispose();
        helper = null;
        return -(int)absent;
    }

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified)
        {
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
            SendTimeout = (int)Patience.TotalMilliseconds,
        };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(root.Path(TaskHelper.SocketPath)));
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }
}
