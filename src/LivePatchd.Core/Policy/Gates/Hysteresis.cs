// The rule of every measured gate: closed above the high mark, open again below the low one, between them as it was.
using System.Globalization;

namespace LivePatchd.Core.Policy.Gates;

internal static class Hysteresis
{
    /// <summary>Nothing at all is calm, even where the low mark is 0 and nothing could be below it.</summary>
    public static bool Calm(double value, double low) => value < low || value <= 0;

    public static bool Open(bool wasOpen, double value, double high, double low) => wasOpen ? value <= high : Calm(value, low) && value <= high;

    public static string Percent(double ratio) => (100 * ratio).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    public static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";
}
