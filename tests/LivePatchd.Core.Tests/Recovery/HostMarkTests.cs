// The mark of a boot on disk: read back as it was, runs counted in one boot only, and no damaged byte believed.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy;
using LivePatchd.Core.Recovery;

namespace LivePatchd.Core.Tests.Recovery;

public sealed class HostMarkTests
{
    private const string Boot = "11111111-1111-4111-8111-111111111111";

    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void It_is_read_back_as_it_was()
    {
        var mark = HostMark.Begin(HostMark.Begin(null, Boot, At(10)), Boot, At(20));
        foreach (var written in (HostMark[])[mark, mark.End(shutDown: true), mark.End(shutDown: false)])
        {
            var read = HostMark.Decode(written.Encode())!;
            Assert.Equal((written.BootId, written.ShutDown), (read.BootId, read.ShutDown));
            Assert.Equal<Instant>(written.Runs, read.Runs);
        }
        Assert.Equal(2, mark.Runs.Length);
        Assert.Empty(mark.End(shutDown: false).Runs);
    }

    [Fact]
    public void Runs_of_another_boot_do_not_count_and_are_bounded_in_one()
    {
        HostMark? mark = null;
        for (var run = 0; run < 30; run++)
            mark = HostMark.Begin(mark, Boot, At(run));
        Assert.Equal(HostMark.MaxRuns, mark!.Runs.Length);
        Assert.Equal(At(29), mark.Runs[^1]);
        Assert.NotNull(CrashLoop.BarredUntil(HostMark.Earlier(mark, Boot), At(30)));
        Assert.Empty(HostMark.Earlier(mark, "another"));
        Assert.Equal<Instant>([At(1)], HostMark.Begin(mark, "another", At(1)).Runs);
    }

    [Fact]
    public void A_new_run_takes_the_word_of_a_shutdown_back()
    {
        var shut = HostMark.Begin(null, Boot, At(1)).End(shutDown: true);
        Assert.False(HostMark.Begin(shut, Boot, At(2)).ShutDown);
    }

    [Fact]
    public void No_damaged_byte_is_believed()
    {
        var bytes = HostMark.Begin(null, Boot, At(10)).Encode();
        for (var at = 0; at < bytes.Length; at++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[at] ^= 0x04;
            Assert.Null(HostMark.Decode(damaged));
            Assert.Null(HostMark.Decode(bytes.AsSpan(0, at)));
        }
    }

    private static Instant At(int seconds) => new(TimeSpan.FromSeconds(seconds), Noon.AddSeconds(seconds));
}
