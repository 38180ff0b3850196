// Compares text with a file of the repository; LIVEPATCHD_UPDATE_GOLDEN=1 writes the file instead.
namespace LivePatchd.Core.Tests;

internal static class RepositoryFile
{
    /// <param name="path">From the top of the repository.</param>
    public static void Check(string path, string text)
    {
        var file = PathOf(path);
        if (Environment.GetEnvironmentVariable("LIVEPATCHD_UPDATE_GOLDEN") == "1")
            File.WriteAllText(file, text);
        Assert.True(File.Exists(file), $"{path} is missing; LIVEPATCHD_UPDATE_GOLDEN=1 writes it");
        Assert.Equal(File.ReadAllText(file), text);
    }

    public static string PathOf(string path)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "LivePatchd.sln")))
            directory = directory.Parent;
        Assert.NotNull(directory);
        return Path.Combine(directory.FullName, path);
    }
}
