// Answers Diagnose: collects the bundle on a thread of its own, so that it can be had while the loop or the kernel is in trouble.
using System.Buffers;
using LivePatchd.Bus;
using LivePatchd.Core.Recovery;
using LivePatchd.Linux;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;
using LivePatchd.Log;
using LivePatchd.Loop;
using LivePatchd.Publish;

namespace LivePatchd.Control;

/// <summary>One bundle at a time; whoever asks meanwhile shares the next one.</summary>
internal sealed class DiagnosisDesk(SystemRoot root, Configuration configuration, TimeProvider clock, DaemonLog log)
{
    public const int MaxWaiting = 8;

    private const int MaxJournalRecords = 200;
    private const int MaxJournalBytes = 256 << 10;
    private const int MaxLogLines = 200;

    private readonly Lock gate = new();
    private readonly List<BusCall> waiting = [];
    private bool busy;
    private volatile DaemonSnapshot? shown;

    /// <summary>What the daemon last showed; its age is part of the bundle.</summary>
    public void Follow(DaemonSnapshot snapshot) => shown = snapshot;

    public void Take(Command.Diagnose asked)
    {
        if (asked.Call is not { } call)
            return;
        if (shown is null)
        {
            call.ReplyError(BusErrors.Busy, "the daemon has not looked at the kernel yet");
            return;
        }
        lock (gate)
        {
            if (waiting.Count < MaxWaiting)
            {
                waiting.Add(call);
                if (!busy)
                    ThreadPool.QueueUserWorkItem(static desk => desk.Serve(), this, preferLocal: false);
                busy = true;
                return;
            }
        }
        call.ReplyError(BusErrors.LimitsExceeded, $"{MaxWaiting} callers wait for a bundle");
    }

    private void Serve()
    {
        while (true)
        {
            BusCall[] calls;
            lock (gate)
            {
                calls = [.. waiting];
                waiting.Clear();
                busy = calls.Length > 0;
            }
            if (calls.Length == 0)
                return;
            try
            {
                var bundle = Collect();
                foreach (var call in calls)
                    Answer(call, bundle);
            }
            catch (Exception e)
            {
                // A bug. It must not end the process, and nobody is to wait for what will not come.
                log.Bug("a diagnosis", e);
                foreach (var call in calls)
                    call.ReplyError(BusErrors.Failed, "the bundle could not be made");
            }
        }
    }

    private ReadOnlyMemory<byte> Collect()
    {
        var journal = FileTail.Read(root, JournalBook.Path, MaxJournalBytes);
        var bytes = new ArrayBufferWriter<byte>();
        DiagnosisJson.Write(bytes, new Diagnosis(
            clock.GetUtcNow(),
            shown!,
            configuration.Origins,
            journal.IsOk ? JournalTail.Read(journal.Value.Bytes, journal.Value.Whole, MaxJournalRecords) : new JournalTail([], 0),
            journal.WithoutValue,
            KernelSurvey.Read(root),
            KernelLogTail.Read(root, MaxLogLines)));
        return bytes.WrittenMemory;
    }

    private static void Answer(BusCall call, ReadOnlyMemory<byte> bundle)
    {
        // One for each caller: where a descriptor stands is shared by all who have it.
        var sealedFile = SealedMemory.Of("livepatchd-diagnosis", bundle.Span);
        if (!sealedFile.IsOk)
        {
            call.ReplyError(BusErrors.Failed, sealedFile.WithoutValue.ToString());
            return;
        }
        call.Reply(w =>
        {
            using (sealedFile.Value)
                w.WriteFd(sealedFile.Value);
        });
    }
}
