// The files of this project's Golden folder.
using LivePatchd.Core.Tests;

namespace LivePatchd.EndToEnd.Tests;

internal static class Golden
{
    public static void Check(string name, string text) => RepositoryFile.Check("tests/LivePatchd.EndToEnd.Tests/Golden/" + name, text);
}
