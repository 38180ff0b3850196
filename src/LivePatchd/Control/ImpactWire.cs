// The Impact property of a patch: what its latest operation did, as a{sv}.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;

namespace LivePatchd.Control;

/// <summary>The keys are listed in docs/history.md. A key that is absent is unknown; no keys: no operation is known.</summary>
internal static class ImpactWire
{
    public static void Write(BusWriter writer, HistoryEntry? entry) => writer.WriteOptions(entry is null ? [] : Options(entry));

    private static Dictionary<string, object> Options(HistoryEntry entry)
    {
        var options = new Dictionary<string, object>
        {
            ["Operation"] = ImpactJson.Word(entry.Operation),
            ["Result"] = ImpactJson.Word(entry.Result),
            ["StartedUsec"] = Wire.Usec(entry.Time),
        };
        if (entry.Why is { } why)
            options["Reason"] = why.Word();
        if (entry.Detail is { } detail)
            options["Detail"] = detail;
        Add("LoadUsec", entry.Load);
        Add("TransitionUsec", entry.Transition);
        Add("LongestStallUsec", entry.Impact.LongestStall);
        AddAll("Before", entry.Impact.Before);
        AddAll("During", entry.Impact.During);
        AddAll("After", entry.Impact.After);
        return options;

        void Add(string key, TimeSpan? span)
        {
            if (span is { } s)
                options[key] = (ulong)(s.Ticks / TimeSpan.TicksPerMicrosecond);
        }

        void Count(string key, ulong? count)
        {
            if (count is { } n)
                options[key] = n;
        }

        void AddAll(string when, PressureDelta? delta)
        {
            Add($"{when}Usec", delta?.Duration);
            Add($"{when}IoStallUsec", delta?.IoStall);
            Add($"{when}IoFullStallUsec", delta?.IoFullStall);
            Add($"{when}CpuStallUsec", delta?.CpuStall);
            Add($"{when}MemoryStallUsec", delta?.MemoryStall);
            Add($"{when}MemoryFullStallUsec", delta?.MemoryFullStall);
            Count($"{when}OutSegments", delta?.OutSegments);
            Count($"{when}RetransmittedSegments", delta?.RetransmittedSegments);
            Count($"{when}SoftirqSqueezes", delta?.SoftirqSqueezes);
            Count($"{when}Oopses", delta?.Oopses);
            Count($"{when}Warnings", delta?.Warnings);
        }
    }
}
