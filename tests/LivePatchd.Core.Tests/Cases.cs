// How many random cases a property is tried with: a tenth in one's own loop, all of them where LIVEPATCHD_THOROUGH=1 asks for it.
namespace LivePatchd.Core.Tests;

internal static class Cases
{
    private static readonly bool Thorough = Environment.GetEnvironmentVariable("LIVEPATCHD_THOROUGH") == "1";

    public static int Of(int all) => Thorough ? all : all / 10;
}
