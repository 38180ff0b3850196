// The daemon's log: every entry has an event, and the fields a machine wants, beside the sentence for people.
using System.Globalization;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Systemd;
using LivePatchd.Loop;

namespace LivePatchd.Log;

/// <summary>Thread-safe. Priorities are syslog's: 3 error, 4 warning, 5 notice, 6 info.</summary>
internal sealed class DaemonLog(JournalSink sink)
{
    private const int Error = 3;
    private const int Warning = 4;
    private const int Notice = 5;
    private const int Info = 6;

    private readonly Lock gate = new();

    public void Note(EventKind kind, string message, PatchName? patch = null, Sha256? digest = null) =>
        Write(Info, kind, message, patch, digest, null, Errno.None);

    public void Problem(EventKind kind, string message, Reason? reason = null, PatchName? patch = null, Sha256? digest = null, Errno errno = Errno.None) =>
        Write(Warning, kind, message, patch, digest, reason, errno);

    /// <param name="asked">The request that the move belongs to; null where nobody asked for it.</param>
    public void State(PatchName patch, PatchState? from, PatchState to, Reason? reason, string? detail, Sha256? digest, Asked? asked = null)
    {
        var why = reason is { } r ? $" ({r.Word()}){(detail is null ? "" : ": " + detail)}" : "";
        var priority = to is PatchState.Rejected or PatchState.Stalled or PatchState.Quarantined ? Warning : Notice;
        var move = from == to ? to.Word() : $"{from?.Word() ?? "new"} -> {to.Word()}";
        Write(priority, EventKind.StateChanged, $"{patch}: {move}{why}", patch, digest, reason, Errno.None,
            asked, ("LIVEPATCH_FROM", from?.Word() ?? ""), ("LIVEPATCH_TO", to.Word()));
    }

    public void Bug(string where, Exception exception) =>
        Write(Error, EventKind.Bug, $"Bug in {where}: {exception}", null, null, null, Errno.None);

    public void Bug(string message) => Write(Error, EventKind.Bug, $"Bug: {message}", null, null, null, Errno.None);

    /// <summary>What the host, the web server or another library has to say.</summary>
    public void Library(int priority, string category, string message) =>
        Write(priority, EventKind.Library, $"{category}: {message}", null, null, null, Errno.None);

    private void Write(
        int priority, EventKind kind, string message, PatchName? patch, Sha256? digest, Reason? reason, Errno errno,
        Asked? asked = null, params ReadOnlySpan<(string, string)> more)
    {
        var fields = new List<(string, string)>(11) { ("MESSAGE_ID", kind.MessageId()) };
        if (patch is { } name)
            fields.Add(("LIVEPATCH_NAME", name.Value));
        if (digest is { } sha)
            fields.Add(("LIVEPATCH_SHA256", sha.Hex));
        if (reason is { } why)
        {
            fields.Add(("LIVEPATCH_REASON", why.Word()));
            // A second value of the field: the entry is found by its event and by its reason.
            fields.Add(("MESSAGE_ID", why.MessageId()));
        }
        if (errno != Errno.None)
            fields.Add(("ERRNO", ((int)errno).ToString(CultureInfo.InvariantCulture)));
        if (asked is { } request)
        {
            fields.Add(("LIVEPATCH_JOB", request.Job.ToString(CultureInfo.InvariantCulture)));
            fields.Add(("LIVEPATCH_UID", request.Uid.ToString(CultureInfo.InvariantCulture)));
        }
        foreach (var field in more)
            fields.Add(field);
        lock (gate)
            sink.Send(priority, message, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(fields));
    }
}
