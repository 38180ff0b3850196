// A message does not hold what its reader expects; the dispatch answers it with InvalidArgs.
namespace LivePatchd.Bus;

public sealed class BusFormatException : Exception
{
    public BusFormatException()
    {
    }

    public BusFormatException(string message)
        : base(message)
    {
    }

    public BusFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
