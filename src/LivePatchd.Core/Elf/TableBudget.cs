// What reading one file's patch tables may cost at most, whatever the file says.
namespace LivePatchd.Core.Elf;

internal sealed class TableBudget
{
    internal const int MaxFunctions = 10_000;
    internal const int MaxObjects = 1_000;
    internal const int MaxNameBytes = 1 << 20;
    internal const string Exceeded = "its tables are larger than any real patch's";

    private const int MaxSteps = 100_000;
    private const int BytesPerStep = 1024;

    // Many times what the code of a patch has; sections may overlap, so that the size of the file is no bound.
    private const int MaxCodeRelocations = 2_000_000;

    private int functions = MaxFunctions;
    private int objects = MaxObjects;
    private int nameBytes = MaxNameBytes;
    private int steps = MaxSteps;
    private int codeRelocations = MaxCodeRelocations;

    internal bool IsExceeded => functions < 0 || objects < 0 || nameBytes < 0 || steps < 0 || codeRelocations < 0;

    internal bool TakeFunction() => --functions >= 0;

    internal bool TakeObject() => --objects >= 0;

    /// <summary>One structure looked at, whether it is kept or not.</summary>
    internal bool TakeStep() => --steps >= 0;

    /// <summary>A run of bytes looked at: a step for each struct's worth.</summary>
    internal bool TakeScan(long length) => (steps -= (int)Math.Min(MaxSteps, length / BytesPerStep)) >= 0;

    internal bool TakeCodeRelocations(int count) => (codeRelocations -= Math.Min(count, MaxCodeRelocations)) >= 0;

    internal bool TakeName(int length) => (nameBytes -= length) >= 0;
}
