// The kernel's taint flags as the letters that its own messages use.
using System.Numerics;

namespace LivePatchd.Ctl.Output;

internal static class Taint
{
    // By bit, as in the kernel's documentation of tainted kernels.
    private const string ByBit = "PFSRMBUDAWCIOELKXTNJ";

    public static string Letters(ulong flags) => string.Create(BitOperations.PopCount(flags), flags, static (letters, left) =>
    {
        for (var i = 0; i < letters.Length; i++)
        {
            var bit = BitOperations.TrailingZeroCount(left);
            letters[i] = bit < ByBit.Length ? ByBit[bit] : '?';
            left &= left - 1;
        }
    });
}
