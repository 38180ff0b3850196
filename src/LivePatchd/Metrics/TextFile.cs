// The metrics as a file for node_exporter's textfile collector: written beside the loop, and put in place by a rename.
using LivePatchd.Linux;
using LivePatchd.Log;

namespace LivePatchd.Metrics;

/// <summary>Off unless metrics.textfile names a file. A file that cannot be written is reported once, and tried again.</summary>
internal sealed class TextFile(SystemRoot root, DaemonLog log, DaemonMeter meter, TimeProvider clock) : IDisposable
{
    /// <summary>Prometheus asks node_exporter as often, or less often.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(15);

    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private readonly Lock gate = new();
    private ITimer? timer;
    private string? path;
    private string? lastProblem;

    /// <param name="file">Null for none. What was written to another file before is removed: nobody keeps it up to date.</param>
    public void Start(string? file)
    {
        lock (gate)
        {
            var next = file is null ? null : root.Path(file);
            if (path != next)
                Remove();
            path = next;
            timer?.Dispose();
            timer = next is null ? null : clock.CreateTimer(_ => Write(), null, TimeSpan.Zero, Every);
        }
    }

    /// <summary>A daemon that has stopped vouches for nothing: its file goes with it.</summary>
    public void Stop() => Start(null);

    public void Dispose() => timer?.Dispose();

    private void Write()
    {
        lock (gate)
        {
            if (path is null)
                return;
            var hidden = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.part");
            try
            {
                // The directory may belong to the collector's user: nothing that it puts there is followed or opened.
                File.Delete(hidden);
                using (var file = new FileStream(hidden, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
                {
                    file.Write(Exposition.Write(meter.Read(), openMetrics: false));
                    File.SetUnixFileMode(file.SafeFileHandle, Readable);
                }
                File.Move(hidden, path, overwrite: true);
                lastProblem = null;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (e.Message != lastProblem)
                    log.Problem(EventKind.MetricsProblem, $"metrics.textfile cannot be written: {e.Message}; a directory outside /var/lib/livepatchd needs ReadWritePaths= in a drop-in of livepatchd.service");
                lastProblem = e.Message;
            }
        }
    }

    private void Remove()
    {
        if (path is null)
            return;
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.Problem(EventKind.MetricsProblem, $"{path} cannot be removed: {e.Message}");
        }
    }
}
