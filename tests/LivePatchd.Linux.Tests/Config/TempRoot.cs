// A directory that stands for "/", filled by a test and removed after it.
using System.Text;
using LivePatchd.Core.Config;
using LivePatchd.Linux.Config;

namespace LivePatchd.Linux.Tests.Config;

internal sealed class TempRoot : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("livepatchd-config-");

    public SystemRoot Root => new(directory.FullName);

    public string this[string path] => Root.Path(path);

    public TempRoot Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[path])!);
        File.WriteAllText(this[path], text);
        return this;
    }

    public TempRoot Link(string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[path])!);
        File.CreateSymbolicLink(this[path], target);
        return this;
    }

    public ConfigResult Load() => ConfigLoader.Load(Root);

    public void Dispose() => directory.Delete(recursive: true);

    /// <summary>One file's text through the whole way that a main file takes.</summary>
    public static ConfigResult LoadText(string yaml) =>
        SettingsBuilder.Build([YamlFragmentReader.Read("test.yaml", Encoding.UTF8.GetBytes(yaml))]);
}
