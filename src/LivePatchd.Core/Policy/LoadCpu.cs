// Chooses the CPU on which a module is loaded: the one with the least network and softirq work that nobody has set aside.
using System.Collections.Immutable;
using LivePatchd.Core.Config;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Core.Policy;

/// <param name="Allowed">CPUs on which the daemon may run.</param>
/// <param name="Reserved">Isolated and nohz_full CPUs: set aside for other work.</param>
/// <param name="Before">Softirq counters of the earlier reading; empty when there is none.</param>
/// <param name="After">Those of the later one; empty when they cannot be read.</param>
public sealed record CpuFacts(
    ImmutableArray<int> Online,
    ImmutableArray<int> Allowed,
    ImmutableArray<int> Reserved,
    ImmutableArray<SoftirqCount> Before,
    ImmutableArray<SoftirqCount> After);

/// <param name="Cpu">Null: the scheduler decides, as ever.</param>
/// <param name="Why">In words, for the log.</param>
public sealed record LoadCpu(int? Cpu, string Why)
{
    public static LoadCpu Choose(PlacementSettings settings, CpuFacts facts)
    {
        switch (settings.Cpu)
        {
            case CpuChoice.None:
                return new LoadCpu(null, "placement.cpu is none");
            case CpuChoice.Fixed when settings.CpuNumber is { } wanted:
                // Somebody's explicit wish counts even for a CPU that is set aside.
                return !facts.Online.Contains(wanted) ? new LoadCpu(null, $"cpu {wanted} of placement.cpu is not online")
                    : !facts.Allowed.Contains(wanted) ? new LoadCpu(null, $"cpu {wanted} of placement.cpu is not among those the daemon may use")
                    : new LoadCpu(wanted, "placement.cpu names it");
        }
        var usable = facts.Online.Intersect(facts.Allowed).Except(facts.Reserved).Order().ToArray();
        if (usable.Length == 0)
            return new LoadCpu(null, "every usable cpu is isolated or nohz_full");
        if (usable.Length == 1)
            return new LoadCpu(usable[0], "it is the only one not set aside");
        if (facts.After.IsEmpty)
            return new LoadCpu(null, "/proc/softirqs cannot be read");
        var now = facts.After.ToDictionary(c => c.Cpu);
        var then = facts.Before.ToDictionary(c => c.Cpu);
        LoadCpu? best = null;
        (uint Net, uint Total) least = (uint.MaxValue, uint.MaxValue);
        foreach (var cpu in usable)
        {
            if (!now.TryGetValue(cpu, out var count))
                continue;
            // Without an earlier reading (or for a CPU that just came online) the counts since boot are what there is.
            var was = then.GetValueOrDefault(cpu);
            var work = (Net: unchecked(count.NetReceive - was.NetReceive), Total: unchecked(count.Total - was.Total));
            if (best is not null && work.CompareTo(least) >= 0)
                continue;
            least = work;
            best = new LoadCpu(cpu, $"least softirq work: {work.Net} network receptions, {work.Total} in all {(facts.Before.IsEmpty ? "since boot" : "since the last reading")}");
        }
        return best ?? new LoadCpu(null, "no usable cpu is in /proc/softirqs");
    }
}
