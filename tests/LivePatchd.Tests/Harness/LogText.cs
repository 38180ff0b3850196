// What the daemon would write to standard error, kept as text: there at once, without a thread that reads it.
using System.Text;

namespace LivePatchd.Tests;

internal sealed class LogText : MemoryStream
{
    private readonly Lock gate = new();

    public string Text
    {
        get
        {
            lock (gate)
                return Encoding.UTF8.GetString(GetBuffer(), 0, (int)Length);
        }
    }

    /// <summary>Lines that contain the text.</summary>
    public int Count(string part) => Text.Split('\n').Count(line => line.Contains(part, StringComparison.Ordinal));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        lock (gate)
            base.Write(buffer);
    }
}
