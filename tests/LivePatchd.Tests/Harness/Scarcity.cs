// A host that has no thread to spare, until a test says that it has.
namespace LivePatchd.Tests;

internal sealed class Scarcity
{
    public bool Is { get; set; } = true;

    public int Refused { get; private set; }

    public void Start(Thread thread)
    {
        if (Is)
        {
            Refused++;
            throw new InsufficientMemoryException();
        }
        thread.Start();
    }
}
