// Reads /sys/kernel/livepatch and the /sys/module directories of livepatches.
using System.Collections.Immutable;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Kernel;

/// <summary>Attributes are told by their presence, never by kernel version; a value that vanishes while being read means that its patch is gone.</summary>
internal sealed class LivepatchSysfs(SystemRoot root)
{
    internal const int MaxPatches = 1000;
    private const int MaxObjects = 1000;
    private const int MaxFunctions = 10_000;

    // A directory that goes and comes back between two reads is read again, but not for ever.
    private const int Attempts = 3;

    // What a patch consists of is fixed once its transition is over; listing it again each time would be most of an observation's cost.
    private readonly Dictionary<PatchName, Remembered> memory = [];

    internal ImmutableArray<LoadedPatch> Read(IReadOnlyCollection<PatchName> alsoModules)
    {
        var patches = ImmutableArray.CreateBuilder<LoadedPatch>();
        var seen = new HashSet<PatchName>();
        foreach (var entry in SysfsReader.Directories(root.Path("/sys/kernel/livepatch"), MaxPatches))
        {
            // Whatever is loaded is seen, under any name: nothing else may begin while its transition is open.
            if (PatchName.TryParseLoaded(entry) is { } name && ReadOne(name) is { } patch && seen.Add(name))
                patches.Add(patch);
        }
        foreach (var name in alsoModules)
        {
            if (patches.Count < MaxPatches && seen.Add(name) && ReadOne(name) is { } patch)
                patches.Add(patch);
        }
        foreach (var name in memory.Keys)
        {
            if (!seen.Contains(name))
                memory.Remove(name);
        }
        return patches.ToImmutable();
    }

    /// <summary>Waits for klp_mutex (`stack_order_show`, kernel/livepatch/core.c), which the kernel holds through a load with all its callbacks.</summary>
    internal Dictionary<PatchName, int> ReadStackOrders(IReadOnlyCollection<PatchName> names)
    {
        var orders = new Dictionary<PatchName, int>();
        foreach (var name in names)
        {
            if (SysfsReader.SmallNumber(StackOrderPath(name)) is { } order)
                orders[name] = order;
        }
        return orders;
    }

    /// <summary>Waits for nothing: the file is not opened.</summary>
    internal bool TellsStackOrder(PatchName name) => Sys.Stat(StackOrderPath(name), follow: false).IsOk;

    // Null when neither the directory nor the module is there.
    private LoadedPatch? ReadOne(PatchName name)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            if (ReadRegistered(name) is { } patch)
                return patch;
            if (!Directory.Exists(PatchPath(name)))
                break;
        }
        if (Directory.Exists(PatchPath(name)) && !File.Exists(PatchPath(name) + "/transition") && SysfsReader.Bool(PatchPath(name) + "/enabled") is { } isEnabled)
        {
            var of = ReadModule(name);
            return new LoadedPatch(
                name, Directory: true, isEnabled, Transition: false, SysfsReader.Bool(PatchPath(name) + "/replace"), StackOrder: null,
                of.Present, of.RefCount, Livepatch: true, of.BuildId, ReadObjects(PatchPath(name)))
            {
                HasTransition = false,
            };
        }
        return ReadModule(name) is { Present: true } module
            ? new LoadedPatch(
                name, Directory: false, Enabled: false, Transition: false, Replace: null, StackOrder: null,
                ModulePresent: true, module.RefCount, module.Livepatch, module.BuildId, Objects: [])
            : null;
    }

    // Null when there is no directory, or it went while being read.
    private LoadedPatch? ReadRegistered(PatchName name)
    {
        var path = PatchPath(name);
        if (SysfsReader.Bool(path + "/transition") is not { } transition || Sys.Stat(path, follow: false) is not { IsOk: true } directory)
            return null;
        var replace = SysfsReader.Bool(path + "/replace");
        var recalled = !transition && memory.TryGetValue(name, out var known) && known.Directory == directory.Value ? known.Objects : default;
        var objects = recalled.IsDefault ? ReadObjects(path) : ReadPatched(path, recalled);
        var module = ReadModule(name);
        // Read again last: what was seen in a directory that went meanwhile would be half a picture.
        if (SysfsReader.Bool(path + "/enabled") is not { } enabledNow || SysfsReader.Bool(path + "/transition") is not { } transitionNow)
            return null;
        // The functions that an atomic replace adds are there only while in transition.
        if (!transition && !transitionNow)
            memory[name] = new Remembered(directory.Value, objects);
        else
            memory.Remove(name);
        return new LoadedPatch(
            name, Directory: true, enabledNow, transitionNow, replace, StackOrder: null,
            module.Present, module.RefCount, Livepatch: true, module.BuildId, objects);
    }

    private ImmutableArray<LivepatchObject> ReadObjects(string patchPath)
    {
        var names = SysfsReader.Directories(patchPath, MaxObjects);
        var objects = ImmutableArray.CreateBuilder<LivepatchObject>(names.Count);
        foreach (var name in names)
        {
            var path = $"{patchPath}/{name}";
            var functions = SysfsReader.Directories(path, MaxFunctions);
            objects.Add(WithPatched(new LivepatchObject(name, null, [.. functions.Select(WithoutFirst).Distinct()]), patchPath));
        }
        return objects.MoveToImmutable();
    }

    // The one thing about an object that changes: its target module comes and goes.
    private ImmutableArray<LivepatchObject> ReadPatched(string patchPath, ImmutableArray<LivepatchObject> objects)
    {
        for (var i = 0; i < objects.Length; i++)
        {
            var now = WithPatched(objects[i], patchPath);
            if (now != objects[i])
                objects = objects.SetItem(i, now);
        }
        return objects;
    }

    private LivepatchObject WithPatched(LivepatchObject o, string patchPath)
    {
        var path = $"{patchPath}/{o.Name}/patched";
        var patched = SysfsReader.Bool(path);
        var loaded = patched == true || o.Name == PatchedObject.Vmlinux || IsLive(o.Name);
        // The kernel patches a module before it is live: what came between the two readings is patched by now.
        if (loaded && patched == false)
            patched = SysfsReader.Bool(path);
        return o with { Patched = patched, IsTargetLoaded = loaded };
    }

    private bool IsLive(string module)
    {
        Span<byte> buffer = stackalloc byte[16];
        return SysfsReader.Read(root.Path($"/sys/module/{module}/initstate"), buffer) is { } length
            && buffer[..length].TrimEnd((byte)'\n').SequenceEqual("live"u8);
    }

    // "name,sympos"; kernels before 4.5 have no position. Nearly every function is the first of its name, so that goes without saying.
    private static string WithoutFirst(string function) =>
        function.EndsWith(",1", StringComparison.Ordinal) || function.EndsWith(",0", StringComparison.Ordinal) ? function[..^2] : function;

    private ModuleFacts ReadModule(PatchName name)
    {
        var path = root.Path("/sys/module/" + name.Value);
        // Built-in code has a directory too, when it has parameters; only loaded modules have a state.
        Span<byte> buffer = stackalloc byte[SysfsReader.MaxFileSize];
        if (SysfsReader.Read(path + "/initstate", buffer) is null)
            return default;
        var refCount = SysfsReader.SmallNumber(path + "/refcnt");
        var tainted = SysfsReader.Read(path + "/taint", buffer) is { } taint && buffer[..taint].Contains((byte)'K');
        var buildId = SysfsReader.Read(path + "/notes/.note.gnu.build-id", buffer) is { } note ? BuildIdNote.Parse(buffer[..note]) : null;
        return new ModuleFacts(Present: true, refCount, tainted, buildId);
    }

    private string StackOrderPath(PatchName name) => PatchPath(name) + "/stack_order";

    private string PatchPath(PatchName name) => root.Path("/sys/kernel/livepatch/" + name.Value);

    private sealed record Remembered(FileIdentity Directory, ImmutableArray<LivepatchObject> Objects);

    private readonly record struct ModuleFacts(bool Present, int? RefCount, bool Livepatch, BuildId? BuildId);
}
