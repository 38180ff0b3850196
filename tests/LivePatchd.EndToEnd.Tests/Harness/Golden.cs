// Compares text with a file beside the tests; LIVEPATCHD_UPDATE_GOLDEN=1 writes the file instead.
using System.Runtime.CompilerServices;

namespace LivePatchd.EndToEnd.Tests;

internal static class Golden
{
    public static void Check(string name, string text, [CallerFilePath] string caller = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(caller)!, "Golden", name);
        if (Environment.GetEnvironmentVariable("LIVEPATCHD_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, text);
        Assert.True(File.Exists(path), $"{path} is missing; LIVEPATCHD_UPDATE_GOLDEN=1 writes it");
        Assert.Equal(File.ReadAllText(path), text);
    }
}
