// Descriptors of other programs, each read on a thread of its own: a file system that never answers costs its caller a refusal, and nobody else anything.
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Linux.Store;
using LivePatchd.Log;
using LivePatchd.Systemd;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Loop;

/// <summary>On the loop's thread only, but for the threads that read.</summary>
/// <param name="copy">The descriptor's bytes as a file of our own; may take for ever.</param>
/// <param name="ring">Makes the loop look; from other threads.</param>
internal sealed class DescriptorDesk(Func<SafeFileHandle, ForeignFile> copy, Action ring, MonotonicClock clock, DaemonLog log) : IDisposable
{
    /// <summary>Less than the 25 s after which a bus library gives up a call, so that the caller hears why.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Those that were given up and have not ended are among them.</summary>
    public const int MaxThreads = 8;

    private readonly List<Reading> readings = [];
    private volatile bool stopping;

    /// <summary>When the next one is given up; null when none runs.</summary>
    public Instant? Due => readings.Where(static r => !r.GivenUp).Select(static r => (Instant?)r.GivenUpAt).FirstOrDefault();

    /// <summary>Takes the command's descriptor over. False when too many are being read, or no thread is to be had: then nothing was taken.</summary>
    public bool TryTake(Command command)
    {
        readings.RemoveAll(static r => r is { GivenUp: true, Result: not null });
        if (readings.Count >= MaxThreads)
            return false;
        var reading = new Reading(command, FileOf(command), clock.Now().After(Patience));
        var thread = new SpareThread("foreign file", () => Read(reading), log);
        if (!thread.Start())
            return false;
        readings.Add(reading);
        return true;
    }

    /// <summary>What has ended: the command with a file of our own, or with what came of it.</summary>
    public IEnumerable<(Command? Ready, WorkResult? Over)> Collect()
    {
        var now = clock.Now();
        foreach (var reading in readings.ToArray())
        {
            if (reading.GivenUp)
                continue;
            if (reading.Result is { } file)
            {
                readings.Remove(reading);
                yield return file.File is { } own ? (WithFile(reading.Command, own), null) : (null, Over(reading.Command, file.Refused!.Value, file.Detail));
            }
            else if (!now.IsBefore(reading.GivenUpAt))
            {
                reading.GivenUp = true;
                // It may have ended in this moment.
                reading.Result?.File?.Dispose();
                yield return (null, Over(reading.Command, Reason.UnreadableFile, $"its file system has not given its content in {Patience.TotalSeconds:F0} s"));
            }
        }
    }

    /// <summary>A read that hangs is not waited for: it ends with the process.</summary>
    public void Dispose() => stopping = true;

    private void Read(Reading reading)
    {
        ForeignFile file;
        try
        {
            file = copy(reading.File);
        }
        catch (Exception e)
        {
            log.Bug("a foreign file", e);
            file = new ForeignFile(null, Reason.UnreadableFile, "livepatchd itself failed, see its log");
        }
        reading.File.Dispose();
        reading.Result = file;
        if (reading.GivenUp || stopping)
        {
            file.File?.Dispose();
            return;
        }
        try
        {
            ring();
        }
        catch (ObjectDisposedException)
        {
            // The loop ended meanwhile.
        }
    }

    private static SafeFileHandle FileOf(Command command) => command switch
    {
        Command.Stage stage => stage.File,
        Command.PlanFile plan => plan.File,
        _ => throw new ArgumentOutOfRangeException(nameof(command)),
    };

    private static Command WithFile(Command command, SafeFileHandle own) => command switch
    {
        Command.Stage stage => stage with { File = own, IsOwn = true },
        Command.PlanFile plan => plan with { File = own, IsOwn = true },
        _ => throw new ArgumentOutOfRangeException(nameof(command)),
    };

    private static WorkResult Over(Command command, Reason reason, string detail) => command switch
    {
        Command.Stage stage => new WorkResult.Staged(stage, new StageResult(null, new RefusedFile(stage.FileName, null, reason, detail), default)),
        Command.PlanFile plan => new WorkResult.Probed(plan, new ProbeResult(null, new RefusedFile(plan.FileName, null, reason, detail), default), PreflightFacts.None),
        _ => throw new ArgumentOutOfRangeException(nameof(command)),
    };

    private sealed class Reading(Command command, SafeFileHandle file, Instant givenUpAt)
    {
        private volatile ForeignFile? result;
        private volatile bool givenUp;

        public Command Command => command;

        public SafeFileHandle File => file;

        public Instant GivenUpAt => givenUpAt;

        public ForeignFile? Result
        {
            get => result;
            set => result = value;
        }

        public bool GivenUp
        {
            get => givenUp;
            set => givenUp = value;
        }
    }
}
