// A small, faithful kernel for walks through the planner: registration, one transition, replace, leftovers, EEXIST, EBUSY.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Planning;

internal sealed class ModelKernel
{
    internal sealed record Module(PatchName Name, BuildId BuildId, bool Replace, bool Registered, bool Enabled, bool Transition, int RefCount);

    private readonly Dictionary<PatchName, Module> modules = [];

    public bool KnowsReplace { get; init; } = true;

    public bool FtraceEnabled { get; set; } = true;

    public int Loads { get; private set; }

    public ulong WarnCount { get; set; }

    public HashSet<Sha256> Refuses { get; } = [];

    public HashSet<Sha256> Panics { get; } = [];

    public bool Busy => modules.Values.Any(m => m.Transition);

    public bool Has(PatchName name) => modules.ContainsKey(name);

    public BuildId? BuildOf(PatchName name) => modules.GetValueOrDefault(name)?.BuildId;

    /// <summary>Its code runs, or is about to.</summary>
    public bool InUse(PatchName name) => modules.TryGetValue(name, out var m) && m.Registered && (m.Enabled || m.Transition);

    public IEnumerable<PatchName> Active => modules.Values.Where(m => m is { Registered: true, Enabled: true, Transition: false }).Select(m => m.Name);

    public Errno Load(PatchName name, Sha256 digest, BuildId build, bool replace)
    {
        Loads++;
        if (modules.ContainsKey(name))
            return Errno.EEXIST;
        if (Busy || !FtraceEnabled)
            return Errno.EBUSY;
        if (Refuses.Contains(digest))
            return Errno.EINVAL;
        modules[name] = new Module(name, build, replace, Registered: true, Enabled: true, Transition: true, RefCount: 1);
        return Errno.None;
    }

    public Errno SetEnabled(PatchName name, bool enabled)
    {
        if (modules.GetValueOrDefault(name) is not { Registered: true } m)
            return Errno.ENOENT;
        if (m.Enabled == enabled)
            return Errno.EINVAL;
        if (!m.Transition && (Busy || enabled))
            return enabled ? Errno.EINVAL : Errno.EBUSY;
        modules[name] = m with { Enabled = enabled, Transition = true };
        return Errno.None;
    }

    public Errno Unload(PatchName name)
    {
        if (modules.GetValueOrDefault(name) is not { } m)
            return Errno.ENOENT;
        if (m.RefCount > 0)
            return Errno.EAGAIN;
        modules.Remove(name);
        return Errno.None;
    }

    /// <summary>The running transition ends; what it disabled or replaced still has its directory.</summary>
    public void Complete()
    {
        if (modules.Values.FirstOrDefault(m => m.Transition) is not { } m)
            return;
        modules[m.Name] = m with { Transition = false };
        if (!m.Enabled || !m.Replace)
            return;
        foreach (var other in modules.Values.Where(o => o.Registered && o.Name != m.Name).ToList())
            modules[other.Name] = other with { Enabled = false };
    }

    /// <summary>The work queue frees what is disabled: directory first, reference with it.</summary>
    public void Free()
    {
        foreach (var m in modules.Values.Where(m => m is { Registered: true, Enabled: false, Transition: false }).ToList())
            modules[m.Name] = m with { Registered = false, RefCount = 0 };
    }

    /// <summary>The same machine after a reboot.</summary>
    public ModelKernel Rebooted()
    {
        var next = new ModelKernel { KnowsReplace = KnowsReplace, Loads = Loads };
        next.Refuses.UnionWith(Refuses);
        next.Panics.UnionWith(Panics);
        return next;
    }

    public ObservedState Observe(string boot) => new(
        new KernelFacts("6.12.0", boot, true, true, FtraceEnabled, false, LockdownLevel.None, false, WarnCount > 0 ? 1UL << 9 : 0, 0, WarnCount),
        [.. modules.Values.OrderBy(m => m.Name).Select(m => new LoadedPatch(
            m.Name, m.Registered, m.Enabled && m.Registered, m.Transition, KnowsReplace && m.Registered ? m.Replace : null, null,
            true, m.RefCount, true, m.BuildId, m.Registered ? [new LivepatchObject("vmlinux", true, ["f"])] : []))]);
}
