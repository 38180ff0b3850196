// The kernel's log cut into reports of trouble: each with its kind, its lines and the modules it names.
namespace LivePatchd.Core.Policy.Health;

public static class KernelReports
{
    /// <summary>A report is whole this long after its first line, on any machine that still works.</summary>
    public static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(300);
}
