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
    public static TaskStat? Parse(ReadOnlySpan<byte> text)
    {
        var open = text.IndexOf((byte)'(');
        // The name is the task's own choice: only the last parenthesis is the kernel's.
        var close = text.LastIndexOf((byte)')');
        if (open < 0 || close < open)
            return null;
        var rest = text[(close + 1)..].TrimEnd((byte)'\n');
        if (!TextFields.TakeWord(ref rest, out var state) || state.Length != 1 || !char.IsAsciiLetter((char)state[0]))
            return null;
        ulong? flags = null;
        ulong? start = null;
        for (var field = 1; field <= StartField; field++)
        {
            if (!TextFields.TakeWord(ref rest, out var word))
                return null;
            if (field == FlagsField)
                flags = TextFields.Number(word);
            if (field == StartField)
                start = TextFields.Number(word);
        }
        return flags is { } bits && start is { } ticks
            ? new TaskStat(Printable.Line(Encoding.UTF8.GetString(text[(open + 1)..close]), 64), (char)state[0], (bits & KthreadFlag) != 0, ticks)
            : null;
    }

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
}
