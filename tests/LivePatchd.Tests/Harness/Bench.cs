// What a class of the daemon is made with in a test of its own: a root, a clock that a test moves, a log that it reads, instruments that it counts.
using LivePatchd.Core.Model;
using LivePatchd.Linux;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Systemd;
using LivePatchd.Linux.Tests;
using LivePatchd.Log;
using LivePatchd.Loop;

namespace LivePatchd.Tests;

internal sealed class Bench : IDisposable
{
    public const string Boot = "11111111-1111-4111-8111-111111111111";
    public const string NextBoot = "22222222-2222-4222-8222-222222222222";

    private readonly JournalSink sink;
    private readonly Lazy<MeterTap> meter;
    private readonly List<AppendLog> journals = [];

    public Bench()
    {
        sink = new JournalSink(Root, Said);
        Log = new DaemonLog(sink);
        Clock = new MonotonicClock(Time);
        meter = new Lazy<MeterTap>(() => new MeterTap(Time));
    }

    public FakeRoot Files { get; } = new();

    public SystemRoot Root => Files.Root;

    public ManualTime Time { get; } = new();

    public MonotonicClock Clock { get; }

    public Instant Now => Clock.Now();

    public LogText Said { get; } = new();

    public DaemonLog Log { get; }

    public MeterTap Meter => meter.Value;

    /// <summary>A journal that was opened and is empty.</summary>
    public JournalBook Journal()
    {
        var file = new AppendLog(Root, JournalBook.Path);
        journals.Add(file);
        var book = new JournalBook(file, Host(), () => [], Clock, Log);
        book.Open(Boot);
        return book;
    }

    /// <summary>A mark that was opened.</summary>
    public HostBook Host()
    {
        var mark = new HostBook(new StateFile(Root, HostBook.Path), new StateFile(Root, HostBook.EndPath), Log);
        mark.Open(Boot, Now);
        return mark;
    }

    /// <summary>Nothing can be written below the daemon's state any more, until <see cref="MendState"/>: even root cannot make a file in a file.</summary>
    public void BreakState()
    {
        var state = Files.Path("/var/lib/livepatchd/state");
        // A file that is open already would be written on.
        journals.ForEach(static j => j.Dispose());
        if (Directory.Exists(state))
            Directory.Move(state, state + ".aside");
        else
            Files.MakeDirectory("/var/lib/livepatchd");
        File.WriteAllText(state, "");
    }

    public void MendState()
    {
        var state = Files.Path("/var/lib/livepatchd/state");
        File.Delete(state);
        if (Directory.Exists(state + ".aside"))
            Directory.Move(state + ".aside", state);
    }

    public void Dispose()
    {
        sink.Dispose();
        Files.Dispose();
    }
}
