// The n-th system call of the running daemon fails, for every n and errno, while it starts, applies and reverts: done or told why not, and right in the end.
using System.Globalization;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;

namespace LivePatchd.EndToEnd.Tests.Crash;

[CollectionDefinition("faults", DisableParallelization = true)]
public sealed class FaultGroup;

/// <summary>Every call and every errno in `make test-crash` (LIVEPATCHD_FAULT_STRIDE=1); otherwise each so many calls, the errnos in turn.</summary>
[Collection("faults")]
public sealed class DaemonFaultTests
{
    private static readonly Errno[] Errnos =
        [Errno.EIO, Errno.ENOSPC, Errno.EROFS, Errno.EINTR, Errno.ENOMEM, Errno.EMFILE, Errno.EBUSY, Errno.EACCES];

    private static readonly Patch Patch = new("lp_one");

    private static int Stride => int.TryParse(Environment.GetEnvironmentVariable("LIVEPATCHD_FAULT_STRIDE"), CultureInfo.InvariantCulture, out var stride) ? stride : 11;

    /// <summary>The loop and its worker: everything that is decided or done goes through them.</summary>
    private sealed class Fault : IDisposable
    {
        private readonly Errno errno;
        private int left;

        public Fault(int n, Errno errno)
        {
            left = n;
            this.errno = errno;
            CallFault.Inject = Inject;
        }

        public string? Hit { get; private set; }

        public void Dispose() => CallFault.Inject = null;

        private Errno Inject(string call)
        {
            if (Thread.CurrentThread.Name is not ("reconcile" or "kernel" or "files") || Interlocked.Decrement(ref left) != 0)
                return Errno.None;
            Hit = call;
            return errno;
        }
    }

    [Fact]
    public async Task Applying_and_reverting()
    {
        await using var host = await TestHost.Started();
        var failures = await Sweep(async (n, errno) =>
        {
            var loads = host.Kernel.Calls.Count(c => c == "load lp_one ok");
            var hit = await Under(n, errno, () => host.Drop(Patch), () => host.Kernel.Active.Any());
            await Recover(host, () => host.Kernel.Active.Any(), $"apply, call {n} ({hit}): {errno}");
            await host.Becomes("lp_one", "active", "");
            Assert.Equal("daemon", host.View.Patch("lp_one")["Origin"]);
            Assert.Equal(loads + 1, host.Kernel.Calls.Count(c => c == "load lp_one ok"));

            var hitToo = await Under(n, errno, () => host.Remove(Patch.FileName), () => !host.Kernel.Has("lp_one"));
            await Recover(host, () => !host.Kernel.Has("lp_one"), $"revert, call {n} ({hitToo}): {errno}");
            Assert.DoesNotContain(host.Kernel.Calls, c => c.Contains("EEXIST", StringComparison.Ordinal));
            return hit is not null || hitToo is not null;
        });
        await host.Stop();
        NoOrphans(host);
        Report("apply and revert", failures);
        Assert.InRange(failures, 10, 10_000);
    }

    [Fact]
    public async Task Starting()
    {
        await using var host = await TestHost.Started();
        host.Drop(Patch);
        await host.Becomes("lp_one", "active");
        var failures = await Sweep(async (n, errno) =>
        {
            await host.Stop();
            string? hit;
            using (var fault = new Fault(n, errno))
            {
                await host.Start();
                await Task.Delay(20, CancellationToken.None);
                hit = fault.Hit;
            }
            await Recover(host, () => host.View.Find("lp_one") is { State: "active", Reason: "" }, $"start, call {n} ({hit}): {errno}");
            Assert.Equal("daemon", host.View.Patch("lp_one")["Origin"]);
            Assert.Equal(["load lp_one ok"], host.Kernel.Calls);
            return hit is not null;
        }, everyErrno: false);
        await host.Stop();
        NoOrphans(host);
        Report("start", failures);
        Assert.InRange(failures, 10, 10_000);
    }

    /// <returns>How many calls were made to fail.</returns>
    private static async Task<int> Sweep(Func<int, Errno, Task<bool>> pass, bool everyErrno = true)
    {
        var failures = 0;
        var all = Stride == 1 && everyErrno;
        for (var e = 0; e < (all ? Errnos.Length : 1); e++)
        {
            for (var n = 1; await pass(n, Errnos[all ? e : n / Stride % Errnos.Length]); n += Stride)
                failures++;
        }
        return failures;
    }

    /// <summary>Until it is done, or the call has failed and the daemon has had its say; which call it was.</summary>
    private static async Task<string?> Under(int n, Errno errno, Action act, Func<bool> done)
    {
        using var fault = new Fault(n, errno);
        act();
        for (var i = 0; i < 2_000 && !done() && fault.Hit is null; i++)
            await Task.Delay(1, CancellationToken.None);
        for (var i = 0; i < 20 && !done(); i++)
            await Task.Delay(1, CancellationToken.None);
        return fault.Hit;
    }

    /// <summary>The second, clean run: whatever pause a failure had led to is over.</summary>
    private static async Task Recover(TestHost host, Func<bool> done, string after)
    {
        using var limit = new CancellationTokenSource(Limit.Long);
        while (!done())
        {
            if (limit.IsCancellationRequested)
                Assert.Fail($"{after}: no recovery. {host.Log.Text[^Math.Min(3000, host.Log.Text.Length)..]}");
            host.Time.Skip(TimeSpan.FromMinutes(10));
            host.View.Ask("Apply", "nobody_has_this_name");
            await Task.Delay(1, CancellationToken.None);
        }
    }

    private static void NoOrphans(TestHost host) => Assert.DoesNotContain(
        Directory.EnumerateFileSystemEntries(host.Root.Path("/var/lib/livepatchd"), "*", SearchOption.AllDirectories), p => Path.GetFileName(p)[0] == '.');

    private static void Report(string what, int failures)
    {
        TestContext.Current.SendDiagnosticMessage("{0}: {1} failing calls", what, failures);
        if (Environment.GetEnvironmentVariable("LIVEPATCHD_FAULT_TABLE") is { Length: > 0 } path)
            File.AppendAllText(path, $"| {what}, whole daemon | {failures} |\n");
    }
}
