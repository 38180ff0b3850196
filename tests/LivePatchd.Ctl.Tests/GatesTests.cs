// `gates`, `hold`, `unhold`, `inhibit` and the override: what they print, what they ask of the daemon.
using System.Globalization;
using System.Text.Json;
using LivePatchd.Bus.Tests;

namespace LivePatchd.Ctl.Tests;

public sealed class GatesTests : CtlTest
{
    private static readonly DateTimeOffset Winter = new(2026, 1, 1, 12, 0, 1, TimeSpan.Zero);

    [Fact]
    public void Gates_is_a_table_with_who_waits_and_who_holds()
    {
        Calm();
        Assert.Equal(
            """
            GATE         STATE            SINCE  VALUE  CLOSES  OPENS   DETAIL
            load         open             3h     0.52   >1.50   <1.00   load 0.52 on 1 CPU
            io-pressure  closed           3h     31.2%  >20.0%  <10.0%  some 31.2 % of 10...
            network      open, no source  3h     -      -       -       /proc/net/snmp is...

                 Changes: not now (io-pressure)
                  Closed: io-pressure: some 31.2 % of 10.0 s; and more than fits one line of
                          a terminal
             Next answer: 2026-01-01 13:00:01 +01:00 (long ago)
                 Waiting: lp_b (io-pressure), retry long ago
                    Hold: a disk is being changed
                          since 2026-01-01 13:00:01 +01:00 (long ago)
                          until livepatchctl unhold
               Inhibited: backup (uid 1000, long): reads all disks

            """,
            Aged(Run("gates").Succeeded().Output));
    }

    [Fact]
    public void Nothing_is_wider_than_80_columns()
    {
        Calm();
        foreach (var verb in (string[][])[["gates"], ["gates", "--help"], ["hold", "--help"], ["unhold", "--help"], ["inhibit", "--help"], ["apply", "--help"], ["--help"]])
            Assert.All(Run(verb).Succeeded().Lines, static line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void Json_has_every_figure_and_fits_its_schema()
    {
        Calm();
        var text = Run("gates", "--json").Succeeded().Output;
        SchemaValidator.Validate("gates.json", text);
        using var json = JsonDocument.Parse(text);
        var gates = json.RootElement.GetProperty("gates");
        Assert.Equal(["load", "io-pressure", "network"], gates.EnumerateArray().Select(static g => g.GetProperty("name").GetString()));
        Assert.Equal((0.312, 0.2, 0.1), (gates[1].GetProperty("value").GetDouble(), gates[1].GetProperty("close_at").GetDouble(), gates[1].GetProperty("open_below").GetDouble()));
        Assert.Equal(JsonValueKind.Null, gates[2].GetProperty("value").ValueKind);
        Assert.Equal("lp_b", Assert.Single(json.RootElement.GetProperty("waiting").EnumerateArray()).GetProperty("patch").GetString());
        Assert.Equal("a disk is being changed", json.RootElement.GetProperty("hold").GetProperty("why").GetString());
    }

    [Fact]
    public void Squeezes_are_a_number_in_a_second()
    {
        Serve().Show(new FakeGate { Name = "network", Open = false, Value = 130.26, CloseAt = 100, OpenBelow = 50, Unit = "squeezes-per-second" });
        Assert.Matches(@"^network  closed  3h     130\.3/s  >100\.0/s  <50\.0/s", Run("gates").Succeeded().Lines[1]);
        var text = Run("gates", "--json").Succeeded().Output;
        SchemaValidator.Validate("gates.json", text);
        Assert.Contains("\"unit\": \"squeezes-per-second\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_daemon_without_gates_is_a_document_too()
    {
        Serve();
        SchemaValidator.Validate("gates.json", Run("gates", "--json").Succeeded().Output);
    }

    [Fact]
    public void Hold_sends_its_words_and_its_end()
    {
        var daemon = Serve();
        Assert.Equal("held until livepatchctl unhold\n", Run("hold", "a disk is being changed").Succeeded().Output);
        Assert.StartsWith("held until ", Run("hold", "disk", "--for", "2h").Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal("held until 2096-03-01 06:00:00 +01:00 (", Run("hold", "disk", "--until", "2096-03-01 06:00").Succeeded().Output[..39]);
        Run("hold", "disk", "--until", "2096-03-01T06:00:00Z").Succeeded();
        Run("hold", "disk", "--until", "00:00").Succeeded();
        Run("unhold").Succeeded();
        var asked = daemon.Asked.ToArray();
        Assert.Equal("hold a disk is being changed 0", asked[0]);
        Assert.InRange(Until(asked[1]) - TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(119), TimeSpan.FromMinutes(120));
        Assert.Equal(new DateTimeOffset(2096, 3, 1, 5, 0, 0, TimeSpan.Zero), Until(asked[2]));
        Assert.Equal(new DateTimeOffset(2096, 3, 1, 6, 0, 0, TimeSpan.Zero), Until(asked[3]));
        Assert.InRange(Until(asked[4]) - TimeProvider.System.GetUtcNow(), TimeSpan.Zero, TimeSpan.FromHours(25));
        Assert.Equal("unhold", asked[5]);
    }

    [Theory]
    [InlineData("hold")]
    [InlineData("hold", " ")]
    [InlineData("hold", "why", "--for", "soon")]
    [InlineData("hold", "why", "--until", "tonight")]
    [InlineData("hold", "why", "--until", "2020-01-01")]
    [InlineData("hold", "why", "--for", "1h", "--until", "12:00")]
    [InlineData("inhibit", "--why", "x")]
    [InlineData("inhibit", "--", "true")]
    public void Wrong_words_are_a_usage_error(params string[] arguments)
    {
        var daemon = Serve();
        Run(arguments).Failed(2);
        Assert.Empty(daemon.Asked);
    }

    [Fact]
    public void Override_is_an_option_of_the_request()
    {
        var daemon = Serve(new FakePatch { Name = "lp_a", State = "held" });
        Run("apply", "lp_a", "--override-gates").Succeeded();
        Run("apply", "lp_a", "--downgrade").Succeeded();
        Run("apply", "lp_a").Succeeded();
        Assert.Equal(["apply lp_a override-gates=True", "apply lp_a downgrade=True", "apply lp_a"], daemon.Asked);
    }

    [Fact]
    public void Inhibit_becomes_its_command()
    {
        var daemon = Serve();
        var run = Run("inhibit", "--why", "a backup", "--who", "cron", "--", "sh", "-c", "echo $0 $1; ls -l /proc/self/fd | grep -c /dev/null; exit 7", "one", "--two");
        Assert.Equal((7, "one --two"), (run.ExitCode, run.Lines[0]));
        Assert.NotEqual("0", run.Lines[1]);
        Run("inhibit", "--why", "x", "--", "/nonexistent").Failed(1, "/nonexistent cannot be started");
        Assert.Equal(["inhibit cron: a backup", "inhibit /nonexistent: x"], daemon.Asked);
        daemon.Refusal = ("LimitsExceeded", "8 inhibitors of one program, 32 in all");
        Run("inhibit", "--why", "x", "--", "true").Failed(75, "8 inhibitors");
    }

    [Fact]
    public async Task Watch_shows_what_holds_with_its_figure()
    {
        var daemon = Serve(new FakePatch { Name = "lp_b", State = "held", Reason = "io-pressure" });
        var io = Io();
        daemon.Show(io);
        using var ctl = OnTerminal("watch", "--timeout", "20s");
        await Eventually.Becomes(() => ctl.Lines.Any(static l => l.Contains("gates: io-pressure closed 3h 30m (31.2%, opens below 10.0%)", StringComparison.Ordinal)));
        // No signal tells of a figure.
        io.Value = 0.15;
        await Eventually.Becomes(() => ctl.Lines.Any(static l => l.Contains("(15.0%, opens below 10.0%)", StringComparison.Ordinal)));
        daemon.Open(io);
        await Eventually.Becomes(() => ctl.Lines.Any(static l => l.Contains("gates: open", StringComparison.Ordinal)));
    }

    private static FakeGate Io() => new()
    {
        Name = "io-pressure",
        Open = false,
        Reason = "io-pressure",
        Value = 0.312,
        CloseAt = 0.2,
        OpenBelow = 0.1,
        Unit = "share",
        Detail = "some 31.2 % of 10.0 s; and more than fits one line of a terminal",
    };

    private static DateTimeOffset Until(string asked) =>
        DateTimeOffset.UnixEpoch.AddMicroseconds(ulong.Parse(asked.Split(' ')[^1], CultureInfo.InvariantCulture));

    private static string Aged(string text)
    {
        text = System.Text.RegularExpressions.Regex.Replace(text, @"\d+d( \d+h)? ago", "long ago");
        return System.Text.RegularExpressions.Regex.Replace(text, @"\d+d( \d+h)?\)", "long)");
    }

    private void Calm()
    {
        var daemon = Serve();
        daemon.Show(
            Io(),
            new FakeGate { Name = "network", Available = false, Detail = "/proc/net/snmp is missing or cannot be read" },
            new FakeGate { Name = "load", Value = 0.52, CloseAt = 1.5, OpenBelow = 1, Unit = "load-per-cpu", Detail = "load 0.52 on 1 CPU" });
        daemon.Holds = [("lp_a", "ftrace-disabled", null), ("lp_b", "io-pressure", Winter)];
        daemon.NextAttempt = Winter;
        daemon.Hold = ("a disk is being changed", Winter, null);
        daemon.Inhibitors = [("backup", "reads all disks", 1000, Winter)];
    }
}
