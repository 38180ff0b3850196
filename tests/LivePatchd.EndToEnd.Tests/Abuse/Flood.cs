// Calls of one peer at a set rate, written in batches that are made beforehand, so that the peer is not what limits them.
using System.Diagnostics;

namespace LivePatchd.EndToEnd.Tests.Abuse;

internal sealed class Flood
{
    private const int BatchesPerSecond = 100;

    /// <summary>
    /// dbus-daemon refuses, by itself, calls of a peer that has 128 answers outstanding, and they reach nobody. So this peer asks for as many
    /// answers as it may, and sends its other calls as ones that want none, which no such limit keeps from the daemon.
    /// </summary>
    private const int MaxOutstanding = 120;

    /// <summary>For what has been sent to be dealt with, on a machine that has other work.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly RawPeer peer;
    private readonly byte[][] calls;
    private readonly byte[] batch;
    private readonly List<int> starts = [];
    private readonly long answersBefore;
    private readonly long busAnswersBefore;
    private readonly long errorsBefore;

    /// <param name="calls">They take turns.</param>
    public Flood(RawPeer peer, byte[][] calls, int callsPerSecond)
    {
        this.peer = peer;
        this.calls = calls;
        var bytes = new List<byte>();
        for (var i = 0; i < callsPerSecond / BatchesPerSecond; i++)
        {
            starts.Add(bytes.Count);
            bytes.AddRange(calls[i % calls.Length]);
        }
        batch = [.. bytes];
        // The answer to its greeting is none of the flood's.
        Wait(() => peer.Answers > 0);
        (answersBefore, busAnswersBefore, errorsBefore) = (peer.Answers, peer.BusAnswers, peer.Errors);
    }

    public long Sent { get; private set; }

    /// <summary>Of those: such as wanted an answer.</summary>
    public long Asked { get; private set; }

    /// <summary>Until the last call was written.</summary>
    public TimeSpan SendingTook { get; private set; }

    /// <summary>Until all calls had been dealt with by who was called.</summary>
    public TimeSpan Took { get; private set; }

    public long Answered => peer.Answers - answersBefore;

    /// <summary>Calls that the bus itself refused; all others were delivered.</summary>
    public long RefusedByTheBus => peer.BusAnswers - busAnswersBefore;

    public long Errors => peer.Errors - errorsBefore;

    /// <param name="seconds">As many calls are sent as belong into that time, however long it takes.</param>
    /// <param name="paced">False: as fast as the bus takes them.</param>
    public void Run(int seconds, bool paced)
    {
        var begun = Stopwatch.GetTimestamp();
        for (var i = 0; i < seconds * BatchesPerSecond; i++)
        {
            while (paced && Stopwatch.GetElapsedTime(begun).TotalSeconds * BatchesPerSecond < i)
                Thread.Sleep(1);
            Send(batch, starts, (int)Math.Min(starts.Count, MaxOutstanding - (Asked - Answered)));
            Sent += starts.Count;
        }
        SendingTook = Stopwatch.GetElapsedTime(begun);
        // Calls of one connection stay in order: with a last one answered, all before it have been dealt with.
        Wait(() => Asked == Answered);
        Send([.. calls[0]], [0], 1);
        Wait(() => Asked == Answered);
        Sent++;
        Took = Stopwatch.GetElapsedTime(begun);
    }

    private void Send(byte[] messages, IReadOnlyList<int> at, int asking)
    {
        Asked += asking;
        Assert.True(peer.Send(messages, at, asking), "the bus closed the connection");
    }

    private void Wait(Func<bool> condition)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(begun) < Patience, $"{Sent} sent, {Asked} asked for an answer, {Answered} answered");
            Thread.Sleep(1);
        }
    }
}
