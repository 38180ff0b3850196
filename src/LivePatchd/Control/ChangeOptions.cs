// The options of Apply and Revert, checked: what is unknown or of another type is refused, never passed over.
namespace LivePatchd.Control;

/// <param name="OverrideGates">No gate counts for this one request.</param>
/// <param name="Confirm">Somebody must confirm the patch before its soak ends.</param>
/// <param name="Deadline">The gates hold it no longer than this.</param>
/// <param name="Downgrade">What is in the directory now may be loaded although its stream is further.</param>
internal readonly record struct ChangeOptions(bool OverrideGates, bool Confirm, DateTimeOffset? Deadline, bool Downgrade)
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
                case ("deadline-usec", ulong usec) when apply && usec > 0 && Wire.Moment(usec) is { } deadline:
                    read = read with { Deadline = deadline };
                    break;
                case ("deadline-usec", ulong) when apply:
                    return (default, "option \"deadline-usec\" is no moment in microseconds since 1970");
                case ("override-gates", _):
                case ("confirm" or "downgrade", _) when apply:
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
