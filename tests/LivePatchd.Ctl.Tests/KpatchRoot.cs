// A host's files for one test of the kpatch shim, and the real livepatchctl on them.
using LivePatchd.Core.Tests.Elf;

namespace LivePatchd.Ctl.Tests;

internal sealed class KpatchRoot : IDisposable
{
    public const string NoBus = "unix:path=/nonexistent/bus";

    private readonly string _address;

    public KpatchRoot(string address = NoBus)
    {
        _address = address;
        Write("/proc/sys/kernel/osrelease", System.Text.Encoding.ASCII.GetBytes(FakeDaemon.Kernel + "\n"));
        Directory.CreateDirectory(On("/tmp"));
        Directory.CreateDirectory(On("/bin"));
    }

    public string Top { get; } = Directory.CreateTempSubdirectory("livepatchctl-kpatch-").FullName;

    public static string InstallDirectory { get; } = "/var/lib/kpatch/" + FakeDaemon.Kernel;

    public string On(string path) => Top + path;

    public string Write(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(On(path))!);
        File.WriteAllBytes(On(path), bytes);
        return On(path);
    }

    /// <summary>A good module for the running kernel, not installed.</summary>
    public string Module(string fileName = "lp-one.ko", string name = "lp_one", string release = FakeDaemon.Kernel) => Write("/tmp/" + fileName, Image(name, release));

    /// <summary>The same, put where kpatch has them.</summary>
    public string Installed(string fileName = "lp-one.ko", string name = "lp_one", string release = FakeDaemon.Kernel) =>
        Write($"/var/lib/kpatch/{release}/{fileName}", Image(name, release));

    public static byte[] Image(string name = "lp_one", string release = FakeDaemon.Kernel) => ModuleImage.Named(name, release).Build();

    public static string Digest(string path) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path)));

    public bool HasDirectory(string release = FakeDaemon.Kernel) => Directory.Exists(On("/var/lib/kpatch/" + release));

    /// <summary>In the directory of one kernel, hidden ones too.</summary>
    public string[] Files(string release = FakeDaemon.Kernel) =>
        [.. Directory.EnumerateFileSystemEntries(On("/var/lib/kpatch/" + release)).Select(static f => Path.GetFileName(f)).Order()];

    public CtlResult Kpatch(params string[] arguments)
    {
        using var running = Start(arguments);
        return running.End().GetAwaiter().GetResult();
    }

    public RunningCtl Start(params string[] arguments)
    {
        var info = Ctl.Info([.. Ctl.CommandLine, "kpatch", .. arguments], _address);
        info.Environment["LIVEPATCHD_ROOT"] = Top;
        info.Environment["PATH"] = On("/bin") + ":" + Environment.GetEnvironmentVariable("PATH");
        info.WorkingDirectory = On("/tmp");
        return new RunningCtl(Ctl.Launch(info));
    }

    public void Dispose() => Directory.Delete(Top, recursive: true);
}
