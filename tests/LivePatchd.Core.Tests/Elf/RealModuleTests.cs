// The modules that the lab builds with the kernels' own build system, where it has built them.
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Tests.Elf;

public sealed class RealModuleTests
{
    [Fact]
    public void Every_livepatch_of_the_lab_tells_what_it_replaces()
    {
        var files = Lines().SelectMany(static line => Directory.GetFiles(Modules(line), "*.ko", SearchOption.AllDirectories)).ToList();
        Assert.SkipWhen(files.Count == 0, "no modules are built; tests/vm/build-modules LINE builds them");
        foreach (var file in files)
        {
            var result = ModuleReader.Read(File.ReadAllBytes(file));
            if (Path.GetFileName(file) == "lp_truncated.ko")
            {
                Assert.Equal(Reason.TruncatedFile, result.Reason);
                continue;
            }
            // The kernel takes a name with a dot; no file of ours has one.
            if (Path.GetFileName(file) == "lp_hold.v2.ko")
            {
                Assert.Equal(Reason.MalformedModule, result.Reason);
                Assert.Contains("lp_hold.v2", result.Detail, StringComparison.Ordinal);
                continue;
            }
            Assert.True(result.IsModule, $"{file}: {result.Detail}");
            var module = result.Contents;
            // Its init panics, and the compiler leaves out what would come after.
            if (Path.GetFileName(file) == "lp_panic_init.ko")
            {
                Assert.Contains("klp_enable_patch", Assert.Single(module.Notes), StringComparison.Ordinal);
                continue;
            }
            Assert.True(module.Notes.IsEmpty, $"{file}: {string.Join(' ', module.Notes)}");
            Assert.Equal(module.Info.Livepatch, module.Patch is not null);
            Assert.Equal(Path.GetFileNameWithoutExtension(file), module.Info.Name.Value);
            Assert.NotNull(module.Info.BuildId);
        }
    }

    [Theory]
    [InlineData("lp_cmdline.ko", false, "vmlinux:cmdline_proc_show")]
    [InlineData("lp_replace_all.ko", true, "vmlinux:cmdline_proc_show")]
    [InlineData("lp_busy.ko", false, "lp_target_busy:lp_busy_wait_for_release")]
    [InlineData("lp_vblk.ko", false, "virtio-blk:virtblk_done")] // a name that no module has
    [InlineData("selftests/test_klp_callbacks_demo.ko", false, "test_klp_callbacks_busy:busymod_work_func")]
    [InlineData("selftests/test_klp_atomic_replace.ko", null, "vmlinux:meminfo_proc_show")] // a module parameter decides
    public void What_the_sources_say_is_what_is_read(string file, bool? replace, string function)
    {
        var paths = Built(file);
        Assert.SkipWhen(paths.Count == 0, $"{file} is not built; tests/vm/build-modules LINE builds it");
        foreach (var path in paths)
        {
            var patch = ModuleReader.Read(File.ReadAllBytes(path)).Contents?.Patch;
            Assert.NotNull(patch);
            Assert.Equal(PatchTablesSource.HandWritten, patch.Source);
            Assert.Equal(replace, patch.Replace);
            Assert.Equal([function], patch.Objects.SelectMany(static o => o.Functions.Select(f => $"{o.Name}:{f.Name}")));
        }
    }

    [Fact]
    public void Callbacks_and_states_are_read_from_real_code()
    {
        var paths = Built("selftests/test_klp_state2.ko");
        Assert.SkipWhen(paths.Count == 0, "the selftests are not built; tests/vm/build-modules LINE builds them");
        foreach (var path in paths)
        {
            var patch = ModuleReader.Read(File.ReadAllBytes(path)).Contents?.Patch;
            Assert.NotNull(patch);
            Assert.Equal([new SystemState(1, 2)], patch.States);
            Assert.Equal(
                PatchCallbacks.PrePatch | PatchCallbacks.PostPatch | PatchCallbacks.PreUnpatch | PatchCallbacks.PostUnpatch,
                Assert.Single(patch.Objects).Callbacks);
        }
    }

    /// <summary>The kernel lines whose modules are built completely; a key is written last.</summary>
    private static IEnumerable<string> Lines() =>
        Directory.Exists(Modules("")) ? Directory.GetDirectories(Modules("")).Where(static d => File.Exists(Path.Combine(d, "key"))).Select(Path.GetFileName).Order(StringComparer.Ordinal)! : [];

    private static List<string> Built(string file) => [.. Lines().Select(line => Path.Combine(Modules(line), file)).Where(File.Exists)];

    private static string Modules(string kernel)
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "LivePatchd.sln")))
                return Path.Combine(directory.FullName, "out", "vm", "modules", kernel);
        }
        return Path.Combine(AppContext.BaseDirectory, "outside", kernel);
    }
}
