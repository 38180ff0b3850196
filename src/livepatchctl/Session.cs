// What every verb works with: the terminal, the clock, the bus to join, and the one way to report a failure.
using LivePatchd.Bus;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl;

internal sealed record Session(Terminal Terminal, TimeProvider Clock, BusAddress Address)
{
    public DateTimeOffset Now => Clock.GetUtcNow();

    public BusResult<Daemon> Connect() => Daemon.Connect(Address);

    /// <summary>The whole of a failure: one line on standard error.</summary>
    /// <param name="what">The verb and its object, as typed.</param>
    /// <param name="patch">As in Failure.</param>
    public int Fail(string what, BusError error, string? patch = null)
    {
        var failure = Failure.Of(error, patch);
        return Fail(failure.ExitCode, what, failure.Why, failure.Next);
    }

    public int Fail(int exitCode, string what, string why, string next)
    {
        // What was printed before the failure stands before it.
        Terminal.Out.Flush();
        Terminal.Error.WriteLine(TextOf.Clean($"livepatchctl: {what}: {TextOf.WithoutStop(why)}; {TextOf.WithoutStop(next)}"));
        return exitCode;
    }
}
