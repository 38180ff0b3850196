// Lets the first, the second, the n-th system call of an operation fail, with every errno that counts, until one goes through without a failure.
using System.Runtime.CompilerServices;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.Linux.Tests.Faults;

internal static class FaultSweep
{
    private const int MaxCalls = 2_000;

    public static readonly Errno[] Errnos =
        [Errno.EIO, Errno.ENOSPC, Errno.EROFS, Errno.EINTR, Errno.ENOMEM, Errno.EMFILE, Errno.EBUSY, Errno.EACCES];

    /// <param name="prepare">A root of its own for each pass.</param>
    /// <param name="operation">Under the fault; on this thread.</param>
    /// <param name="check">Without a fault, after it; the text says which call failed how.</param>
    /// <returns>How many calls were made to fail.</returns>
    public static int Run<TResult>(Action<FakeRoot> prepare, Func<FakeRoot, TResult> operation, Action<FakeRoot, TResult, string> check, [CallerMemberName] string name = "")
    {
        var failures = 0;
        foreach (var errno in Errnos)
        {
            var clean = false;
            for (var n = 1; !clean; n++)
            {
                Assert.True(n < MaxCalls, "the operation does not end");
                using var root = new FakeRoot();
                prepare(root);
                var (result, hit) = Under(n, errno, () => operation(root));
                check(root, result, hit is null ? "no failure" : $"call {n}, {hit}: {errno}");
                clean = hit is null;
                failures += clean ? 0 : 1;
            }
        }
        if (Environment.GetEnvironmentVariable("LIVEPATCHD_FAULT_TABLE") is { Length: > 0 } path)
            File.AppendAllText(path, $"| {name.Replace('_', ' ')} | {failures} |\n");
        return failures;
    }

    /// <summary>Only calls of this thread count: other tests run beside it.</summary>
    private static (TResult Result, string? Hit) Under<TResult>(int n, Errno errno, Func<TResult> operation)
    {
        var thread = Environment.CurrentManagedThreadId;
        string? hit = null;
        Errno Inject(string call)
        {
            if (Environment.CurrentManagedThreadId != thread || --n != 0)
                return Errno.None;
            hit = call;
            return errno;
        }

        CallFault.Inject += Inject;
        try
        {
            return (operation(), hit);
        }
        finally
        {
            CallFault.Inject -= Inject;
        }
    }
}
