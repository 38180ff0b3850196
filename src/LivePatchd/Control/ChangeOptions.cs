// The options of Apply and Revert, checked: what is unknown or of another type is refused, never passed over.
namespace LivePatchd.Control;

/// <param name="OverrideGates">No gate counts for this one request.</param>
/// <param name="Confirm">Somebody must confirm the patch before its soak ends.</param>
/// <param name="Deadline">The gates hold it no longer than this.</param>
/// <param name="Downgrade">What is in the directory now may be loaded although its stream is further.</param>
/// <param name="WaitForBoot">A program of the boot asks: as without the request, the patch waits for the boot's end.</param>
/// <param name="AndSuperseded">Of a revert: what the patch replaced stays out as well.</param>
internal readonly record struct ChangeOptions(bool OverrideGates, bool Confirm, DateTimeOffset? Deadline, bool Downgrade, bool WaitForBoot = false, bool AndSuperseded = false)
{
    /// <param name="apply">False: those that only an apply has are unknown.</param>
    /// <returns>What is wrong with them, or null.</returns>
    public static (ChangeOptions Options, string? Wrong) Read(Dictionary<string, object> options, bool apply)
    {
        var read = default(ChangeOptions);
        foreach (var (key, value) in options)
        {
            switch (key, value)
            {
                case ("override-gates", bool yes):
                    read = read with { OverrideGates = yes };
                    break;
                case ("confirm", bool yes) when apply:
                    read = read with { Confirm = yes };
                    break;
                case ("downgrade", bool yes) when apply:
                    read = read with { Downgrade = yes };
                    break;
                case ("and-superseded", bool yes) when !apply:
                    read = read with { AndSuperseded = yes };
                    break;
                case ("wait-for-boot", bool yes) when apply:
                    read = read with { WaitForBoot = yes };
                    break;
                case ("deadline-usec", ulong usec) when apply && usec > 0 && Wire.Moment(usec) is { } deadline:
                    read = read with { Deadline = deadline };
                    break;
                case ("deadline-usec", ulong) when apply:
                    return (default, "option \"deadline-usec\" is no moment in microseconds since 1970");
                case ("override-gates", _):
                case ("and-superseded", _) when !apply:
                case ("confirm" or "downgrade" or "wait-for-boot", _) when apply:
                    return (default, $"option \"{key}\" is a boolean");
                case ("deadline-usec", _) when apply:
                    return (default, "option \"deadline-usec\" is a uint64");
                default:
                    return (default, $"this version knows no option \"{key}\"");
            }
        }
        return (read, null);
    }
}
