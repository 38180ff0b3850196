// x
namespace LivePatchd.Linux.Systemd;

public sealed class JournalSink : IDisposable
{
    public JournalSink(SystemRoot root) => throw new NotImplementedException(root.Prefix);

    public bool Connected { get; }

    public void Send(int priority, string message, ReadOnlySpan<(string Field, string Value)> fields) => throw new NotImplementedException();

    public void Dispose() { }
}
