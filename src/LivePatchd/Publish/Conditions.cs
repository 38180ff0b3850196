// Gathers what is not as usual on the host: the one place that all surfaces are fed from.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;

namespace LivePatchd.Publish;

internal static class Conditions
{
    public static ImmutableArray<HostCondition> Of(PlannerInput input, HostFacts host, GatesView gates)
    {
        var found = new List<HostCondition>();
        if (!input.Seen.Kernel.LivepatchPresent)
            found.Add(new(Reason.LivepatchAbsent, ""));
        else if (!input.Seen.Kernel.CanLoadModules)
            found.Add(new(Reason.NoPrivilege, ""));
        found.AddRange(host.Bars);
        if (input.Bar is { } bar && found.TrueForAll(c => c.Reason != bar))
            found.Add(new(bar, ""));
        if (host is { ConfigGeneration: > 0, ConfigErrors.IsEmpty: false })
            found.Add(new(Reason.ConfigRefused, $"generation {host.ConfigGeneration} stays in force; {Errors(host)}"));
        found.AddRange(input.Want.Unreadable.Select(static d => new HostCondition(Reason.DirectoryUnreadable, $"{d.Path}: {d.Detail}")));
        found.AddRange(host.Reading);
        if (gates.Hold is { } hold)
            found.Add(new(Reason.OperatorHold, $"\"{hold.Why}\" (uid {hold.Uid}, since {hold.Since.Wall:u}{(hold.Until is { } until ? $", until {until.Wall:u}" : "")})"));
        if (!gates.Inhibitors.IsEmpty)
            found.Add(new(Reason.Inhibited, $"by {gates.Inhibitors[0].Who}: {gates.Inhibitors[0].Why}{(gates.Inhibitors.Length > 1 ? $", and {gates.Inhibitors.Length - 1} more" : "")}"));
        if (input.BootStuck)
            found.Add(new(Reason.BootStuck, Admission.Holder(input) ?? ""));
        if (!input.Ledger.Forced.IsEmpty)
            found.Add(new(Reason.ForcedUntilReboot, $"forced: {string.Join(", ", input.Ledger.Forced.Order())}"));
        return HostConditions.Ordered(found);
    }

    public static string Errors(HostFacts host) =>
        $"{host.ConfigErrors[0]}{(host.ConfigErrors.Length > 1 ? $" (and {host.ConfigErrors.Length - 1} more)" : "")}";
}
