// Keeps an input that broke the contract, with a note of what it did, until the parser is mended and the input joins the corpus.
using System.Security.Cryptography;

namespace LivePatchd.Fuzz;

internal static class Findings
{
    /// <returns>The path of the input.</returns>
    public static string Save(Target target, ReadOnlySpan<byte> input, string note)
    {
        var directory = Corpus.FindingsOf(target);
        Directory.CreateDirectory(directory);
        var name = Convert.ToHexStringLower(SHA256.HashData(input))[..16];
        var path = Path.Combine(directory, $"{name}.input");
        File.WriteAllBytes(path, input);
        File.WriteAllText(Path.Combine(directory, $"{name}.txt"), note + "\n");
        return path;
    }
}
