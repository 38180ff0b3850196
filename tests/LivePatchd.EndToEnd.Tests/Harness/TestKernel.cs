// A kernel for tests: read through the real sysfs reader, acted on by rules of the livepatch core (one transition, replace, leftovers, errno).
using System.Globalization;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Linux;
using LivePatchd.Linux.Kernel;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.EndToEnd.Tests;

/// <summary>By default a transition ends in the kernel's first walk over the tasks, and what is disabled is freed a moment later.</summary>
internal sealed class TestKernel(SystemRoot root) : IKernel
{
    private sealed record Module(string Name, bool Livepatch, bool Replace, bool Registered, bool Enabled, bool Transition, int RefCount, string BuildId);

    private readonly LinuxKernel reader = new(root);
    private readonly SysfsTree tree = new(root);
    private readonly Dictionary<string, Module> modules = [];
    private readonly Dictionary<string, Queue<Errno>> answers = [];
    private readonly List<string> calls = [];
    private readonly Lock gate = new();

    /// <summary>Kernels from 6.11 have the attribute.</summary>
    public bool KnowsReplace { get; init; } = true;

    /// <summary>Kernels from 6.14 have the attribute; here a place does not change when a lower patch goes.</summary>
    public bool KnowsOrder { get; init; }

    /// <summary>Some task never leaves the old code: transitions stay open until <see cref="Complete"/>.</summary>
    public bool Busy { get; set; }

    /// <summary>The work queue that frees disabled patches waits for <see cref="Free"/>.</summary>
    public bool HoldsFree { get; set; }

    /// <summary>What a write to `enabled` answers whatever the state.</summary>
    public Errno RefuseDisable { get; set; }

    /// <summary>What somebody else does once, right before the next call of ours.</summary>
    public Action? BeforeLoad { get; set; }

    /// <summary>Called in the load of a patch that oopses in its init: the module is half loaded, and the thread is not to return.</summary>
    public Action? Dies { get; set; }

    /// <summary>finit_module waits for it once the module is accepted.</summary>
    public ManualResetEventSlim LoadGate { get; } = new(initialState: true);

    /// <summary>Nobody can look at the kernel while it is shut: the loop stands still.</summary>
    public ManualResetEventSlim LookGate { get; } = new(initialState: true);

    /// <summary>While it is shut somebody holds klp_mutex: whoever reads a stack order waits.</summary>
    public ManualResetEventSlim OrderGate { get; } = new(initialState: true);

    /// <summary>Every call of the daemon, as "load lp_one ok".</summary>
    public IReadOnlyList<string> Calls
    {
        get
        {
            lock (gate)
                return [.. calls];
        }
    }

    public IEnumerable<string> Active
    {
        get
        {
            lock (gate)
                return [.. modules.Values.Where(m => m is { Registered: true, Enabled: true, Transition: false }).Select(m => m.Name).Order()];
        }
    }

    /// <summary>Build ids of everything that is loaded, leftovers too, by name.</summary>
    public IReadOnlyDictionary<string, (string BuildId, bool Active)> Modules
    {
        get
        {
            lock (gate)
                return modules.Values.ToDictionary(m => m.Name, m => (m.BuildId, m is { Registered: true, Enabled: true, Transition: false }));
        }
    }

    /// <summary>A patch (its name and build id) that a cumulative one has replaced, with that one's name; under the kernel's lock.</summary>
    public event Action<string, string, string>? Replaced;

    /// <summary>A livepatch that has come in; under the kernel's lock.</summary>
    public event Action<string>? Registered;

    public int LoadsOf(string name) => Calls.Count(c => c.StartsWith($"load {name} ", StringComparison.Ordinal));

    public bool Has(string name)
    {
        lock (gate)
            return modules.ContainsKey(name);
    }

    public bool InTransition(string name)
    {
        lock (gate)
            return modules.TryGetValue(name, out var m) && m.Transition;
    }

    /// <summary>The next load of the name that gets as far as the livepatch core answers so.</summary>
    public void Refuse(string name, Errno answer, int times = 1)
    {
        lock (gate)
            answers[name] = new Queue<Errno>(Enumerable.Repeat(answer, times));
    }

    /// <summary>The kernel of the next boot: empty, with no memory of this one.</summary>
    public TestKernel AfterReboot()
    {
        lock (gate)
        {
            foreach (var m in modules.Values)
            {
                if (m.Registered)
                    tree.RemovePatch(m.Name);
                tree.RemoveModule(m.Name);
            }
            modules.Clear();
        }
        return new TestKernel(root) { KnowsReplace = KnowsReplace, KnowsOrder = KnowsOrder };
    }

    public ObservedState Observe(IReadOnlyCollection<PatchName> alsoModules)
    {
        LookGate.Wait(Limit.Long);
        return reader.Observe(alsoModules);
    }

    public bool TellsStackOrder(PatchName name) => reader.TellsStackOrder(name);

    public IReadOnlyDictionary<PatchName, int> StackOrders(IReadOnlyCollection<PatchName> names)
    {
        OrderGate.Wait(Limit.Long);
        return reader.StackOrders(names);
    }

    public SysResult Load(SafeFileHandle module)
    {
        var quicker = BeforeLoad;
        BeforeLoad = null;
        quicker?.Invoke();
        using var copy = new MemoryStream();
        // The handle stays the caller's own.
        using (var stream = new FileStream(new SafeFileHandle(module.DangerousGetHandle(), ownsHandle: false), FileAccess.Read, bufferSize: 0))
            stream.CopyTo(copy);
        return Load(copy.ToArray());
    }

    public SysResult Load(byte[] image)
    {
        var (name, errno) = Insert(image);
        return Note("load", name, errno, "finit_module");
    }

    public SysResult SetEnabled(PatchName name, bool enabled) =>
        Note(enabled ? "enable" : "disable", name.Value, RefuseDisable != Errno.None ? RefuseDisable : Write(name.Value, enabled), "write");

    /// <summary>Every task counts as switched.</summary>
    public SysResult Force(PatchName name)
    {
        if (!InTransition(name.Value))
            return Note("force", name.Value, Errno.EINVAL, "write");
        Complete();
        return Note("force", name.Value, Errno.None, "write");
    }

    public SysResult Unload(PatchName name) => Note("unload", name.Value, Delete(name.Value), "delete_module");

    /// <summary>insmod by somebody else.</summary>
    public void Insmod(Patch patch) => Assert.Equal(Errno.None, TryInsmod(patch));

    public Errno TryInsmod(Patch patch) => Insert(patch.Bytes).Errno;

    /// <summary>echo 0 > enabled by somebody else.</summary>
    public void DisableByHand(string name) => Assert.Equal(Errno.None, Write(name, false));

    public void Rmmod(string name) => Assert.Equal(Errno.None, Delete(name));

    /// <summary>Another holder of the module, or a forced transition.</summary>
    public void Hold(string name)
    {
        lock (gate)
            ChangeRefCount(modules[name], modules[name].RefCount + 1);
    }

    /// <summary>The running transition ends.</summary>
    public void Complete()
    {
        lock (gate)
        {
            if (modules.Values.FirstOrDefault(m => m.Transition) is not { } m)
                return;
            if (m is { Enabled: true, Replace: true })
            {
                foreach (var other in modules.Values.Where(o => o.Registered && o.Name != m.Name).ToList())
                {
                    modules[other.Name] = other with { Enabled = false };
                    if (other.Enabled)
                        Replaced?.Invoke(other.Name, other.BuildId, m.Name);
                    tree.SetPatch(other.Name, "enabled", false);
                }
            }
            modules[m.Name] = m with { Transition = false };
            tree.SetPatch(m.Name, "transition", false);
            Freed = Task.WhenAll(Freed, Task.Run(FreeUnlessHeld));
        }
    }

    /// <summary>Over when nothing that a transition left behind is being removed any more: until then files come and go.</summary>
    public Task Freed { get; private set; } = Task.CompletedTask;

    /// <summary>Of the moment in which it comes to it: what ran late must not free what was disabled after the test asked for it to be held.</summary>
    private void FreeUnlessHeld()
    {
        lock (gate)
        {
            if (!HoldsFree)
                Free();
        }
    }

    /// <summary>What is disabled loses its directory, then its reference.</summary>
    public void Free()
    {
        lock (gate)
        {
            foreach (var m in modules.Values.Where(m => m is { Registered: true, Enabled: false, Transition: false }).ToList())
            {
                tree.RemovePatch(m.Name);
                modules[m.Name] = m with { Registered = false };
                ChangeRefCount(modules[m.Name], m.RefCount - 1);
            }
        }
    }

    private (string Name, Errno Errno) Insert(byte[] image)
    {
        var inspected = ModuleInspector.Inspect(image, new Core.Tests.Elf.ModuleImage().Machine);
        var name = inspected.Module?.Name.Value ?? "?";
        lock (gate)
        {
            if (Refusal(inspected, image) is var refusal and not Errno.None)
                return (name, refusal);
            modules[name] = new Module(name, inspected.Module!.Livepatch, Contains(image, Patch.ReplaceKey), false, false, false, 0, inspected.Module.BuildId!.Value.Hex);
            tree.AddModule(name, inspected.Module.Livepatch, Convert.FromHexString(inspected.Module.BuildId!.Value.Hex));
        }
        LoadGate.Wait(Limit.Long);
        if (Dies is { } die)
        {
            lock (gate)
                ChangeRefCount(modules[name], 1);
            Note("load", name, Errno.EFAULT, "finit_module");
            die();
        }
        lock (gate)
        {
            if (!inspected.Module.Livepatch)
                return (name, Errno.None);
            modules[name] = modules[name] with { Registered = true, Enabled = true, Transition = true };
            Registered?.Invoke(name);
            ChangeRefCount(modules[name], 1);
            tree.AddPatch(name, KnowsReplace ? modules[name].Replace : null, KnowsOrder ? modules.Values.Count(m => m.Registered) : null);
        }
        if (!Busy)
            Complete();
        return (name, Errno.None);
    }

    private Errno Refusal(InspectResult inspected, byte[] image)
    {
        var facts = reader.Observe([]).Kernel;
        if (facts.ModulesDisabled)
            return Errno.EPERM;
        if (inspected.Module is not { } module)
            return Errno.ENOEXEC;
        if (!module.Signed && facts.SignatureEnforced)
            return Errno.EKEYREJECTED;
        if (module.KernelRelease != facts.Release)
            return Errno.ENOEXEC;
        if (modules.ContainsKey(module.Name.Value))
            return Errno.EEXIST;
        if (!module.Livepatch)
            return Errno.None;
        if (facts.FtraceEnabled == false || modules.Values.Any(m => m.Transition))
            return Errno.EBUSY;
        if (answers.TryGetValue(module.Name.Value, out var queue) && queue.TryDequeue(out var answer))
            return answer;
        var at = image.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(Patch.ErrnoKey));
        if (at < 0)
            return Errno.None;
        var digits = image.AsSpan(at + Patch.ErrnoKey.Length);
        return (Errno)int.Parse(digits[..digits.IndexOf((byte)0)], CultureInfo.InvariantCulture);
    }

    private Errno Write(string name, bool enabled)
    {
        lock (gate)
        {
            if (modules.GetValueOrDefault(name) is not { Registered: true } m)
                return Errno.ENOENT;
            if (m.Enabled == enabled || (enabled && !m.Transition))
                return Errno.EINVAL;
            if (!m.Transition && modules.Values.Any(o => o.Transition))
                return Errno.EBUSY;
            modules[name] = m with { Enabled = enabled, Transition = true };
            tree.SetPatch(name, "transition", true);
            tree.SetPatch(name, "enabled", enabled);
        }
        if (!Busy)
            Complete();
        return Errno.None;
    }

    private Errno Delete(string name)
    {
        lock (gate)
        {
            if (modules.GetValueOrDefault(name) is not { } m)
                return Errno.ENOENT;
            if (m.RefCount > 0)
                return Errno.EAGAIN;
            modules.Remove(name);
            tree.RemoveModule(name);
            return Errno.None;
        }
    }

    private void ChangeRefCount(Module m, int value)
    {
        modules[m.Name] = m with { RefCount = value };
        tree.SetRefCount(m.Name, value);
    }

    private SysResult Note(string call, string name, Errno errno, string system)
    {
        lock (gate)
            calls.Add($"{call} {name} {(errno == Errno.None ? "ok" : errno)}");
        return errno == Errno.None ? SysResult.Success : SysResult.Fail(errno, system);
    }

    private static bool Contains(byte[] image, string text) => image.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(text)) >= 0;
}
