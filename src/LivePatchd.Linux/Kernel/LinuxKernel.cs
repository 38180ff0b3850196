// The running kernel behind IKernel: sysfs to read, finit_module, `enabled` and delete_module to act.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Kernel;

/// <summary>
/// Under a root that is not "/" every action fails with EXDEV before any system call: sysfs there is not the one of the kernel
/// that would load the module.
/// </summary>
public sealed class LinuxKernel(SystemRoot root) : IKernel
{
    // The flags exist to skip version checks, and to have the kernel decompress what was inspected by another decoder: none is ever used.
    private const int NoFlags = 0;

    private const int Attempts = 3;

    private readonly KernelFactsReader facts = new(root);
    private readonly LivepatchSysfs sysfs = new(root);

    public ObservedState Observe(IReadOnlyCollection<PatchName> alsoModules)
    {
        ArgumentNullException.ThrowIfNull(alsoModules);
        ObservedState seen;
        var attempt = 0;
        do
        {
            var host = facts.Read();
            // A file of the host that is denied for good is a missing source; a patch that cannot be read may be there all the same.
            var clear = SysfsReader.Trouble is Errno.None or Errno.EACCES && host is { BootId.Length: > 0, Release.Length: > 0 };
            SysfsReader.ForgetTrouble();
            seen = new ObservedState(host, sysfs.Read(alsoModules));
            seen = seen with { Whole = clear && SysfsReader.Trouble == Errno.None };
        }
        while (!seen.Whole && ++attempt < Attempts);
        return seen;
    }

    public bool TellsStackOrder(PatchName name) => sysfs.TellsStackOrder(name);

    public IReadOnlyDictionary<PatchName, int> StackOrders(IReadOnlyCollection<PatchName> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        return sysfs.ReadStackOrders(names);
    }

    public SysResult Load(SafeFileHandle module)
    {
        if (!root.IsReal)
            return SysResult.Fail(Errno.EXDEV, "finit_module");
        return LibC.syscall_finit_module(LibC.FinitModuleNumber, module, "", NoFlags) == 0
            ? SysResult.Success
            : Sys.Fail("finit_module");
    }

    public SysResult SetEnabled(PatchName name, bool enabled) => Write(name, "enabled", enabled ? "1"u8 : "0"u8);

    public SysResult Force(PatchName name) => Write(name, "force", "1"u8);

    public SysResult Unload(PatchName name)
    {
        if (!root.IsReal)
            return SysResult.Fail(Errno.EXDEV, "delete_module");
        return LibC.syscall_delete_module(LibC.DeleteModuleNumber, name.Value, LibC.NonBlock) == 0
            ? SysResult.Success
            : Sys.Fail("delete_module");
    }

    private SysResult Write(PatchName name, string attribute, ReadOnlySpan<byte> value)
    {
        if (!root.IsReal)
            return SysResult.Fail(Errno.EXDEV, "write");
        var opened = Sys.Open($"/sys/kernel/livepatch/{name.Value}/{attribute}", LibC.WriteOnly);
        if (!opened.IsOk)
            return opened.WithoutValue;
        using var file = opened.Value;
        return Sys.Write(file, value);
    }
}
