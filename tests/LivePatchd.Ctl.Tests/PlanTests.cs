// `plan` and `plan FILE`: what is foreseen in sentences, and what a file alone tells where no daemon can be asked.
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Core.Tests.Elf;
using LivePatchd.Linux.Tests.Store;

namespace LivePatchd.Ctl.Tests;

public sealed class PlanTests : CtlTest
{
    private const string Conflict = """
        {"schema":1,"steps":[],"holds":[{"patch":"lp_b","reason":"ftrace-conflict","retry_at":null}],"patches":[
        {"patch":"lp_b","file":"/p/lp_b.ko","sha256":null,"outcome":"held","reason":"ftrace-conflict","detail":"cmdline_proc_show of vmlinux is held by a kprobe (cmdline_proc_show+0x4) with a post handler","errno":"EBUSY",
        "notes":[{"kind":"probe-stops","text":"probe lab/inbody (cmdline_proc_show+0xa) sits in the old code of cmdline_proc_show and will silently stop firing"}]},
        {"patch":"lp_c","file":"/p/lp_c.ko","sha256":null,"outcome":"refused","reason":"symbol-not-found","detail":"function nobody does not exist","errno":"EINVAL","notes":[]}]}
        """;

    [Fact]
    public void What_is_foreseen_is_told_with_why_and_next_within_the_width()
    {
        Serve().PlanText = Conflict;
        var text = Run("plan").Succeeded().Output;
        Assert.Equal(
            """
            nothing to do
            held: lp_b (ftrace-conflict). Another user of ftrace (a kprobe with a post
                  handler, another live patch) holds one of the functions. Seen:
                  cmdline_proc_show of vmlinux is held by a kprobe (cmdline_proc_show+0x4)
                  with a post handler. The kernel would answer EBUSY. Next: Find the holder
                  in /sys/kernel/tracing/enabled_functions and remove it.
            note: lp_b: probe lab/inbody (cmdline_proc_show+0xa) sits in the old code of
                  cmdline_proc_show and will silently stop firing.
            refused: lp_c (symbol-not-found). A function or symbol that the patch names is
                     not in the running kernel. Seen: function nobody does not exist. The
                     kernel would answer EINVAL. Next: Build the patch against exactly this
                     kernel; the kernel log names the symbol.

            """,
            text);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 80, line));
    }

    [Fact]
    public void A_file_is_handed_over_and_the_answer_shown()
    {
        var daemon = Serve();
        daemon.PlanText = """
            {"schema":1,"steps":[{"action":"load","patch":"lp_b","sha256":null,"reason":null}],"holds":[],"patches":[
            {"patch":"lp_b","file":"/p/lp_b.ko","sha256":null,"outcome":"loads","reason":null,"detail":null,"errno":null,"notes":[]}]}
            """;
        var path = Write("lp_b.ko", "the bytes"u8.ToArray());
        Assert.Equal("1. Load lp_b (sha256 -).\n", Run("plan", path).Succeeded().Output);
        Assert.Equal([("lp_b.ko", "the bytes")], daemon.Staged);
        daemon.PlanText = """
            {"schema":1,"steps":[],"holds":[],"patches":[
            {"patch":"lp_b","file":"/p/lp_b.ko","sha256":null,"outcome":"loaded","reason":null,"detail":null,"errno":null,"notes":[]}]}
            """;
        Assert.Equal("loaded: lp_b.\n", Run("plan", path).Succeeded().Output);
    }

    [Fact]
    public void Without_a_daemon_the_file_alone_is_judged()
    {
        var image = new PatchImage { ModInfo = ["license=GPL", "livepatch=Y", "name=lp_one", "vermagic=0.0.1-never SMP mod_unload "] };
        image.HandWritten(false, (null, [("cmdline_proc_show", 0)]));
        var path = Write("lp_one.ko", image.Build());
        var run = Run("plan", path, "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("livepatchd is not running; by the file alone", run.Error, StringComparison.Ordinal);
        SchemaValidator.Validate("plan.json", run.Output);
        using var plan = JsonDocument.Parse(run.Output);
        var patch = plan.RootElement.GetProperty("patches")[0];
        Assert.Equal("lp_one", patch.GetProperty("patch").GetString());
        Assert.Equal("refused", patch.GetProperty("outcome").GetString());
        Assert.Equal("wrong-kernel", patch.GetProperty("reason").GetString());
        Assert.Equal("ENOEXEC", patch.GetProperty("errno").GetString());

        var running = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        var fitting = new PatchImage { ModInfo = ["license=GPL", "livepatch=Y", "name=lp_one", $"vermagic={running} SMP mod_unload "] };
        var good = Run("plan", Write("lp_one.ko", fitting.Build())).Succeeded();
        Assert.StartsWith("unknown: lp_one.", good.Output, StringComparison.Ordinal);
        Run("plan", Write("nonsense.ko", [1, 2, 3])).Succeeded();
        Assert.Equal(1, Run("plan", path + ".gone").ExitCode);

        Assert.StartsWith("unknown: lp_one.", Run("plan", Write("lp_one.ko.xz", Compressed.Xz(fitting.Build()))).Succeeded().Output, StringComparison.Ordinal);
        Assert.Contains("decompressed-too-large", Run("plan", Write("lp_one.ko.gz", Compressed.GzipBomb()), "--json").Succeeded().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_may_not_ask_hears_what_the_file_tells()
    {
        Serve().Refusal = ("NotAuthorized", "PlanFile takes org.livepatchd1.stage: polkit says no");
        var run = Run("plan", Write("nonsense.ko", [1, 2, 3]));
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("not authorised", run.Error, StringComparison.Ordinal);
        Assert.StartsWith("refused: ", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("match", "what runs is the file")]
    [InlineData("differs", "what runs is not the file")]
    [InlineData("unknown", "not known")]
    public void Show_says_whether_what_runs_is_the_file(string identity, string text)
    {
        Serve(new FakePatch { Name = "lp_a", Identity = identity });
        Assert.Contains($"Identity: {text}", Run("show", "lp_a").Succeeded().Output, StringComparison.Ordinal);
        var json = Run("show", "lp_a", "--json").Succeeded().Output;
        SchemaValidator.Validate("show.json", json);
        Assert.Contains($"\"identity\": \"{identity}\"", json, StringComparison.Ordinal);
    }

    /// <summary>The table of reasons says what a job that ends for each of them exits with.</summary>
    [Fact]
    public void The_exit_code_of_a_held_job_is_that_of_its_reason()
    {
        var daemon = Serve(new FakePatch { Name = "lp_x", State = "staged" });
        foreach (var reason in ReasonTable.All.GroupBy(static i => (i.Kind, i.Reason.ExitCode())).Select(static g => g.First()))
        {
            daemon.OnJob = (d, job) => d.Finish(job, "held", "held", reason.Word);
            Assert.Equal(reason.Reason.ExitCode(), Run("apply", "lp_x").ExitCode);
        }
    }

    private static string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("livepatchctl-plan-").FullName, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
