// Descriptors of other programs, those of each request read on a thread of their own: a file system that never answers costs its caller a refusal, and nobody else anything.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Linux.Store;
using LivePatchd.Log;
using LivePatchd.Systemd;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Loop;

/// <summary>On the loop's thread only, but for the threads that read.</summary>
/// <param name="copy">One descriptor's bytes as a file of our own; may take for ever.</param>
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

    /// <summary>Takes the command's descriptors over. False when too many are being read, or no thread is to be had: then nothing was taken.</summary>
    public bool TryTake(Command command)
    {
        readings.RemoveAll(static r => r is { GivenUp: true, Result: not null });
        if (readings.Count >= MaxThreads)
            return false;
        var reading = new Reading(command, FilesOf(command), clock.Now().After(Patience));
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
            if (reading.Result is { } copies)
            {
                readings.Remove(reading);
                yield return copies.Refused is { } reason ? (null, Over(reading.Command, copies.FileName, reason, copies.Detail)) : (WithFiles(reading.Command, copies.Own), null);
            }
            else if (!now.IsBefore(reading.GivenUpAt))
            {
                reading.GivenUp = true;
                // It may have ended in this moment.
                reading.Result?.Close();
                yield return (null, Over(reading.Command, reading.Files[0].FileName, Reason.UnreadableFile, $"its file system has not given its content in {Patience.TotalSeconds:F0} s"));
            }
        }
    }

    /// <summary>A read that hangs is not waited for: it ends with the process.</summary>
    public void Dispose() => stopping = true;

    private void Read(Reading reading)
    {
        var copies = CopyAll(reading.Files);
        foreach (var one in reading.Files)
            one.File.Dispose();
        reading.Result = copies;
        if (reading.GivenUp || stopping)
        {
            copies.Close();
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

    private Copies CopyAll(ImmutableArray<StagedFile> files)
    {
        var own = ImmutableArray.CreateBuilder<SafeFileHandle>();
        foreach (var one in files)
        {
            ForeignFile file;
            try
            {
                file = copy(one.File);
            }
            catch (Exception e)
            {
                log.Bug("a foreign file", e);
                file = new ForeignFile(null, Reason.UnreadableFile, "livepatchd itself failed, see its log");
            }
            if (file.File is null)
            {
                foreach (var made in own)
                    made.Dispose();
                return new Copies([], one.FileName, file.Refused, file.Detail);
            }
            own.Add(file.File);
        }
        return new Copies(own.ToImmutable(), "", null, "");
    }

    /// <summary>The patch first.</summary>
    private static ImmutableArray<StagedFile> FilesOf(Command command) => command switch
    {
        Command.Stage stage => [new(stage.File, stage.FileName), .. stage.Beside],
        Command.PlanFile plan => [new(plan.File, plan.FileName)],
        _ => throw new ArgumentOutOfRangeException(nameof(command)),
    };

    private static Command WithFiles(Command command, ImmutableArray<SafeFileHandle> own) => command switch
    {
        Command.Stage stage => stage with { File = own[0], Beside = [.. stage.Beside.Zip(own.Skip(1), static (b, file) => b with { File = file })], IsOwn = true },
        Command.PlanFile plan => plan with { File = own[0], IsOwn = true },
        _ => throw new ArgumentOutOfRangeException(nameof(command)),
    };

    private static WorkResult Over(Command command, string fileName, Reason reason, string detail) => command switch
    {
        Command.Stage stage => new WorkResult.Staged(stage, new StageResult(null, new RefusedFile(fileName, null, reason, detail), default)),
        Command.PlanFile plan => new WorkResult.Probed(plan, new ProbeResult(null, new RefusedFile(fileName, null, reason, detail), default), PreflightFacts.None),
        _ => throw new ArgumentOutOfRangeException(nameof(command)),
    };

    /// <param name="FileName">The one that was refused.</param>
    private sealed record Copies(ImmutableArray<SafeFileHandle> Own, string FileName, Reason? Refused, string Detail)
    {
        public void Close()
        {
            foreach (var file in Own)
                file.Dispose();
        }
    }

    private sealed class Reading(Command command, ImmutableArray<StagedFile> files, Instant givenUpAt)
    {
        private volatile Copies? result;
        private volatile bool givenUp;

        public Command Command => command;

        public ImmutableArray<StagedFile> Files => files;

        public Instant GivenUpAt => givenUpAt;

        public Copies? Result
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
