// The history on disk: read once, rewritten whole after each operation; trouble with it is told and never stands in the way.
using System.Buffers;
using System.Collections.Immutable;
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Linux;
using LivePatchd.Linux.Store;
using LivePatchd.Log;

namespace LivePatchd.Loop;

/// <summary>Opened and added to by one thread, which is not the loop's; read by any.</summary>
internal sealed class HistoryBook(AppendLog file, DaemonLog log) : IDisposable
{
    public const string Path = "/var/lib/livepatchd/state/history";

    private readonly Lock gate = new();
    private ImmutableArray<HistoryEntry> entries = [];
    private SysResult lastWrite;
    private bool unsaved;

    /// <summary>Oldest first.</summary>
    public ImmutableArray<HistoryEntry> Entries
    {
        get
        {
            lock (gate)
                return entries;
        }
    }

    /// <summary>What cannot be understood is set aside for people to look at, and a new history begins.</summary>
    public void Open()
    {
        var read = file.ReadAll();
        if (!read.IsOk)
        {
            log.Problem(EventKind.HistoryProblem, $"The history cannot be read: {read.WithoutValue}; it begins anew", errno: read.Errno);
            return;
        }
        if (read.Value.Length == 0)
            return;
        if (ImpactJson.ReadHistory(read.Value) is { } known)
            Swap(History.Bounded(known));
        else
            log.Problem(EventKind.HistoryProblem, $"The history is damaged and begins anew; set aside: {file.SetAside(".damaged")}");
    }

    /// <summary>In memory only, until <see cref="Save"/>.</summary>
    public void Add(HistoryEntry entry)
    {
        Swap(History.Add(Entries, entry));
        unsaved = true;
    }

    public void Save()
    {
        if (!unsaved)
            return;
        unsaved = false;
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
            ImpactJson.WriteHistory(json, Entries);
        Failpoint.At("history.save.before");
        var written = file.Replace(bytes.WrittenSpan);
        Failpoint.At("history.saved");
        // Said once, not at every operation. What could not be written is written with the next entry.
        if (!written.IsOk && written != lastWrite)
            log.Problem(EventKind.HistoryProblem, $"The history cannot be written: {written}", errno: written.Errno);
        lastWrite = written;
    }

    public void Dispose() => file.Dispose();

    private void Swap(ImmutableArray<HistoryEntry> next)
    {
        lock (gate)
            entries = next;
    }
}
