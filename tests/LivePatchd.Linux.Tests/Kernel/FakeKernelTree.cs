// Writes sysfs and procfs files as the kernel lays them out, into a test root.
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.Linux.Tests.Kernel;

internal static class FakeKernelTree
{
    internal static void Basics(FakeRoot root)
    {
        root.Write("/proc/sys/kernel/osrelease", "6.1.0-test-amd64\n");
        root.Write("/proc/sys/kernel/random/boot_id", "6a7c1dc5-45d2-4b19-8e6b-0a6a3c3a4a55\n");
        root.Write("/proc/sys/kernel/tainted", "32768\n");
        root.Write("/proc/self/status", "Name:\tlivepatchd\nCapEff:\t000001ffffffffff\n");
        root.MakeDirectory("/sys/kernel/livepatch");
    }

    internal static void Patch(
        FakeRoot root, string name, int enabled, int transition, string? replace = null, string? stackOrder = null, string? patched = null,
        string[]? functions = null)
    {
        var path = "/sys/kernel/livepatch/" + name;
        root.Write(path + "/enabled", enabled + "\n");
        root.Write(path + "/transition", transition + "\n");
        root.Write(path + "/force", "");
        if (replace is not null)
            root.Write(path + "/replace", replace);
        if (stackOrder is not null)
            root.Write(path + "/stack_order", stackOrder);
        foreach (var function in functions ?? ["cmdline_proc_show,1"])
            root.MakeDirectory($"{path}/vmlinux/{function}");
        if (patched is not null)
            root.Write(path + "/vmlinux/patched", patched);
    }

    internal static void Module(FakeRoot root, string name, string? refCount, string taint = "OEK", byte[]? buildId = null)
    {
        var path = "/sys/module/" + name;
        root.Write(path + "/initstate", "live\n");
        root.Write(path + "/taint", taint + "\n");
        if (refCount is not null)
            root.Write(path + "/refcnt", refCount);
        if (buildId is not null)
            root.Write(path + "/notes/.note.gnu.build-id", ModuleImage.Note("GNU\0"u8.ToArray(), 3, buildId));
    }
}
