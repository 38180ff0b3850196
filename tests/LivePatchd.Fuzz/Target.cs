// One parser under test: what it may do with any bytes at all, and what its result must always be like.
namespace LivePatchd.Fuzz;

/// <summary>What one input cost the parser, its check not counted.</summary>
/// <param name="Time">Of the CPU: what else the machine does is not the parser's.</param>
/// <param name="Bytes">Allocated on the managed heap.</param>
internal readonly record struct Cost(TimeSpan Time, long Bytes);

/// <summary>Raised by a check: the parser returned, but not what it promises.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message);

internal delegate T Parse<T>(ReadOnlySpan<byte> input);

/// <returns>What kind of result it was, in few words: inputs with a kind of their own are kept and mutated further.</returns>
internal delegate string Check<T>(ReadOnlySpan<byte> input, T result);

internal abstract class Target(string name)
{
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(1);
    public const long MaxBytes = 64L << 20;

    public string Name { get; } = name;

    /// <summary>Words of the format, which chance would take long to spell.</summary>
    public IReadOnlyList<byte[]> Words { get; init; } = [];

    public int MaxLength { get; init; } = 16 << 10;

    /// <summary>Seeds that are made and not stored.</summary>
    public IReadOnlyList<byte[]> Made { get; init; } = [];

    /// <summary>Puts checksums and the like right again, so that a mutation is not refused for them; null where there are none.</summary>
    public Func<byte[], byte[]>? Repair { get; init; }

    /// <summary>The kind of result. Anything thrown is a finding.</summary>
    public abstract string Run(ReadOnlySpan<byte> input, out Cost cost);
}

internal sealed class Target<T>(string name, Parse<T> parse, Check<T> check) : Target(name)
{
    public override string Run(ReadOnlySpan<byte> input, out Cost cost)
    {
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var started = ThreadClock.Now;
        var result = parse(input);
        cost = new Cost(ThreadClock.Now - started, GC.GetAllocatedBytesForCurrentThread() - allocated);
        return check(input, result);
    }
}
