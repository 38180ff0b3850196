// Pressure samples for tests: a machine that works evenly, and one of which nothing is known.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Policy.Impact;

internal static class Samples
{
    public static readonly Instant Start = new(TimeSpan.FromHours(1), DateTimeOffset.UnixEpoch.AddYears(56));

    public static Instant At(double seconds) => Start.After(TimeSpan.FromSeconds(seconds));

    /// <summary>Every source there; each counter has the value that its argument says.</summary>
    public static PressureSample Sample(double seconds, double io = 0, double memory = 0, ulong sent = 0, ulong again = 0, ulong squeezes = 0) => new(
        At(seconds), Psi(io), Psi(io / 2), Psi(memory), 1.5, 2, new TcpCounters(sent, again), squeezes, 0, 0);

    public static PressureSample Unknown(double seconds) => new(At(seconds), null, null, null, null, 1, null, null, null, null);

    private static PsiReading Psi(double seconds) =>
        new(new PsiLine(0, 0, 0, TimeSpan.FromSeconds(seconds)), new PsiLine(0, 0, 0, TimeSpan.FromSeconds(seconds / 4)));
}
