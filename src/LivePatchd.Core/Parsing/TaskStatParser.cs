// Reads /proc/PID/stat: command name (which may hold spaces and parentheses), state, kernel thread or not, start time.
using System.Text;

namespace LivePatchd.Core.Parsing;

/// <param name="StartTicks">Clock ticks after boot.</param>
public readonly record struct TaskStat(string Comm, char State, bool Kthread, ulong StartTicks);

public static class TaskStatParser
{
    private const ulong KthreadFlag = 0x0020_0000;

    // Counted from the first field behind the command name, the state.
    private const int FlagsField = 6;
    private const int StartField = 19;

    /// <summary>Null when the text is no such line.</summary>
    public static TaskStat? Parse(ReadOnlySpan<byte> text) => Fields(text, out var comm, out var state, out var kthread, out var start)
        ? new TaskStat(Printable.Line(Encoding.UTF8.GetString(comm), 64), state, kthread, start)
        : null;

    /// <summary>The one field, and nothing allocated. False also when the text is no such line.</summary>
    public static bool IsKthread(ReadOnlySpan<byte> text) => Fields(text, out _, out _, out var kthread, out _) && kthread;

    /// <summary>The real uid of /proc/PID/status; null when there is none.</summary>
    public static uint? Uid(ReadOnlySpan<byte> status)
    {
        while (TextFields.TakeLine(ref status, out var line))
        {
            if (!line.StartsWith("Uid:"u8))
                continue;
            line = line["Uid:"u8.Length..];
            return TextFields.TakeWord(ref line, out var word) && TextFields.Number(word) is { } uid and <= uint.MaxValue ? (uint)uid : null;
        }
        return null;
    }

    private static bool Fields(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> comm, out char state, out bool kthread, out ulong start)
    {
        comm = default;
        (state, kthread, start) = (default, false, 0);
        var open = text.IndexOf((byte)'(');
        // The name is the task's own choice: only the last parenthesis is the kernel's.
        var close = text.LastIndexOf((byte)')');
        if (open < 0 || close < open)
            return false;
        var rest = text[(close + 1)..].TrimEnd((byte)'\n');
        if (!TextFields.TakeWord(ref rest, out var letter) || letter.Length != 1 || !char.IsAsciiLetter((char)letter[0]))
            return false;
        comm = text[(open + 1)..close];
        state = (char)letter[0];
        for (var field = 1; field <= StartField; field++)
        {
            if (!TextFields.TakeWord(ref rest, out var word))
                return false;
            if (field is not (FlagsField or StartField))
                continue;
            if (TextFields.Number(word) is not { } number)
                return false;
            if (field == FlagsField)
                kthread = (number & KthreadFlag) != 0;
            else
                start = number;
        }
        return true;
    }
}
