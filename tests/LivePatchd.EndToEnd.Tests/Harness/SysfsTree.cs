// Writes the sysfs files of livepatches and modules the way readers see them change: whole directories come and go at once, values in place.
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux;

namespace LivePatchd.EndToEnd.Tests;

internal sealed class SysfsTree
{
    private readonly SystemRoot root;
    private readonly string aside;

    public SysfsTree(SystemRoot root)
    {
        this.root = root;
        aside = root.Path("/.lab");
        Directory.CreateDirectory(aside);
        Directory.CreateDirectory(root.Path("/sys/kernel/livepatch"));
        Directory.CreateDirectory(root.Path("/sys/module"));
    }

    /// <param name="order">Null before kernel 6.14.</param>
    public void AddPatch(string name, bool? replace, int? order)
    {
        var made = Aside();
        Directory.CreateDirectory(made + "/vmlinux/cmdline_proc_show,0");
        File.WriteAllText(made + "/enabled", "1\n");
        File.WriteAllText(made + "/transition", "1\n");
        File.WriteAllText(made + "/force", "");
        File.WriteAllText(made + "/vmlinux/patched", "1\n");
        if (replace is { } value)
            File.WriteAllText(made + "/replace", value ? "1\n" : "0\n");
        if (order is { } place)
            File.WriteAllText(made + "/stack_order", $"{place}\n");
        Directory.Move(made, PatchPath(name));
    }

    public void SetPatch(string name, string attribute, bool value) => Overwrite($"{PatchPath(name)}/{attribute}", value ? "1\n" : "0\n");

    public void RemovePatch(string name) => Remove(PatchPath(name));

    public bool HasPatch(string name) => Directory.Exists(PatchPath(name));

    public void AddModule(string name, bool livepatch, byte[] buildId)
    {
        var made = Aside();
        Directory.CreateDirectory(made + "/notes");
        File.WriteAllText(made + "/initstate", "live\n");
        File.WriteAllText(made + "/taint", livepatch ? "OEK\n" : "OE\n");
        File.WriteAllText(made + "/refcnt", livepatch ? "1\n" : "0\n");
        File.WriteAllBytes(made + "/notes/.note.gnu.build-id", ModuleImage.Note("GNU\0"u8.ToArray(), 3, buildId));
        Directory.Move(made, ModulePath(name));
    }

    public void SetRefCount(string name, int value) => Overwrite(ModulePath(name) + "/refcnt", value + "\n");

    public void RemoveModule(string name) => Remove(ModulePath(name));

    public bool HasModule(string name) => Directory.Exists(ModulePath(name));

    private string PatchPath(string name) => root.Path("/sys/kernel/livepatch/" + name);

    private string ModulePath(string name) => root.Path("/sys/module/" + name);

    private string Aside()
    {
        var path = $"{aside}/{Guid.NewGuid():N}";
        Directory.CreateDirectory(path);
        return path;
    }

    private void Remove(string path) => Directory.Move(path, $"{aside}/{Guid.NewGuid():N}");

    // A file that is truncated first would be empty for a moment, which no sysfs attribute ever is.
    private static void Overwrite(string path, string text)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(text));
    }
}
