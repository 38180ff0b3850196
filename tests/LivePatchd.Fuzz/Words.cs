// Turns words of a format into bytes.
using System.Text;

namespace LivePatchd.Fuzz;

internal static class Words
{
    public static byte[][] Of(params string[] words) => [.. words.Select(Encoding.Latin1.GetBytes)];
}
