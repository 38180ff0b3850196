// The JSON of every reading verb against its schema, and the values behind the keys.
using System.Text.Json;
using LivePatchd.Core.Model;

namespace LivePatchd.Ctl.Tests;

public sealed class JsonTests : CtlTest
{
    private static readonly DateTimeOffset Then = new(2026, 3, 1, 12, 0, 1, 250, TimeSpan.Zero);

    [Fact]
    public void The_schema_knows_exactly_the_states_there_are()
    {
        var states = SchemaValidator.Load("common.json").GetProperty("$defs").GetProperty("state").GetProperty("enum");
        var words = Enum.GetValues<PatchState>().Select(static s => s.Word());
        Assert.Equal(words, states.EnumerateArray().Select(static s => s.GetString()));
        Assert.Equal(words, SchemaValidator.Load("status.json").GetProperty("properties").GetProperty("counts").GetProperty("required").EnumerateArray().Select(static s => s.GetString()));
    }

    [Theory]
    [InlineData("""{"schema":2,"result":"ok","exit_code":0,"patches":[],"files":[]}""")]
    [InlineData("""{"schema":1,"result":"fine","exit_code":0,"patches":[],"files":[]}""")]
    [InlineData("""{"schema":1,"result":"ok","exit_code":0}""")]
    [InlineData("""{"schema":1,"result":"ok","exit_code":0,"patches":[],"files":[],"more":1}""")]
    [InlineData("""{"schema":1,"result":"ok","exit_code":0,"patches":[{"name":null,"state":"held","reason":null}],"files":[]}""")]
    [InlineData("""{"schema":1,"result":"ok","exit_code":0,"patches":[{"name":"x","state":"held","reason":"Free text"}],"files":[]}""")]
    public void The_validator_refuses_what_is_wrong(string document) => Assert.NotEmpty(SchemaValidator.Errors("check.json", document));

    [Fact]
    public void The_validator_takes_what_is_right() =>
        SchemaValidator.Validate("check.json", """{"schema":1,"result":"ok","exit_code":0,"patches":[{"name":"x","state":"held","reason":null}],"files":[]}""");

    [Fact]
    public void List_and_show_tell_everything()
    {
        Serve(Full(), new FakePatch { Name = "lp_bare", State = "rejected", Reason = "truncated-file", KernelRelease = "", Origin = "none" });
        var list = Run("list", "--json").Succeeded().Output;
        SchemaValidator.Validate("list.json", list);
        using var document = JsonDocument.Parse(list);
        var patches = document.RootElement.GetProperty("patches");
        Assert.Equal(["lp_bare", "lp_full"], patches.EnumerateArray().Select(static p => p.GetProperty("name").GetString()));
        var bare = patches[0];
        foreach (var name in (string[])["detail", "sha256", "build_id", "kernel_release", "file", "version", "replace", "stack_order", "loaded_since", "state_since", "retry_at", "last_error"])
            Assert.True(bare.GetProperty(name).ValueKind == JsonValueKind.Null, name);
        var full = patches[1];
        Assert.Equal("2026-03-01T12:00:01.250000Z", full.GetProperty("loaded_since").GetString());
        Assert.Equal("tab\tand \u0007bell", full.GetProperty("detail").GetString());
        Assert.Equal([true, false, null], full.GetProperty("objects").EnumerateArray().Select(static o => o.GetProperty("patched") is { ValueKind: not JsonValueKind.Null } p ? p.GetBoolean() : (bool?)null));
        Assert.Equal("cmdline_proc_show", full.GetProperty("functions")[0].GetProperty("name").GetString());
        Assert.True(full.GetProperty("replace").GetBoolean());
        Assert.Equal(2, full.GetProperty("stack_order").GetInt32());
        Assert.Equal(3, full.GetProperty("attempts").GetInt32());

        var show = Run("show", "lp-full", "--json").Succeeded().Output;
        SchemaValidator.Validate("show.json", show);
        using var shown = JsonDocument.Parse(show);
        Assert.True(JsonElement.DeepEquals(full, shown.RootElement.GetProperty("patch")));
        Assert.DoesNotContain(show, static c => char.IsControl(c) && c != '\n');
    }

    [Fact]
    public void An_empty_list_is_a_document_too()
    {
        Serve();
        SchemaValidator.Validate("list.json", Run("list", "--json").Succeeded().Output);
    }

    [Fact]
    public void Status_at_rest()
    {
        Serve(new FakePatch { Name = "lp_a" });
        var text = Run("status", "--json").Succeeded().Output;
        SchemaValidator.Validate("status.json", text);
        using var status = JsonDocument.Parse(text);
        Assert.Equal(JsonValueKind.Null, status.RootElement.GetProperty("transition").ValueKind);
        Assert.Equal(1, status.RootElement.GetProperty("counts").GetProperty("active").GetInt32());
        Assert.Equal(0, status.RootElement.GetProperty("counts").GetProperty("held").GetInt32());
    }

    [Fact]
    public void Status_in_motion()
    {
        var daemon = Serve(new FakePatch { Name = "lp_a", State = "transitioning" });
        daemon.TransitionPatch = "lp_a";
        daemon.TransitionSince = TimeProvider.System.GetUtcNow() - TimeSpan.FromHours(1);
        daemon.Holds = [("lp_b", "transition-in-progress", null), ("lp_c", "out-of-memory", Then)];
        daemon.NextAttempt = Then;
        daemon.ConfigErrors = ["livepatchd.yaml:3: mode: unknown"];
        daemon.NotInForce = ["gates"];
        daemon.Tainted = ulong.MaxValue;
        var text = Run("status", "--json").Succeeded().Output;
        SchemaValidator.Validate("status.json", text);
        using var status = JsonDocument.Parse(text);
        Assert.InRange(status.RootElement.GetProperty("transition").GetProperty("age_seconds").GetInt64(), 3600, 7200);
        Assert.Equal(["lp_b", "lp_c"], status.RootElement.GetProperty("holds").EnumerateArray().Select(static h => h.GetProperty("patch").GetString()));
        Assert.Equal(JsonValueKind.Null, status.RootElement.GetProperty("holds")[0].GetProperty("retry_at").ValueKind);
        Assert.Equal(ulong.MaxValue, status.RootElement.GetProperty("tainted").GetUInt64());
    }

    [Fact]
    public void Plan_is_passed_on_as_it_is()
    {
        var daemon = Serve();
        daemon.PlanText = $$"""{"schema":1,"steps":[{"action":"load","patch":"lp_a","sha256":"{{Digest}}","reason":null}],"holds":[{"patch":"lp_b","reason":"expired","retry_at":null}],"patches":[{"patch":null,"file":"/p/x.ko","sha256":null,"outcome":"refused","reason":"truncated-file","detail":"cut","errno":"ENOEXEC","notes":[{"kind":"traced","text":"t"}]}],"conditions":[]}""";
        var text = Run("plan", "--json").Succeeded().Output;
        Assert.Equal(daemon.PlanText + "\n", text);
        SchemaValidator.Validate("plan.json", text);
    }

    [Theory]
    [InlineData("active", "ok", 0)]
    [InlineData("held", "pending", 3)]
    [InlineData("quarantined", "refused", 6)]
    [InlineData("unsupported", "unsupported", 4)]
    public void Check_says_it_in_json_too(string state, string result, int exitCode)
    {
        Serve(new FakePatch { Name = "lp_a", State = state }, new FakePatch { Name = "lp_b" });
        var run = Run("check", "--json");
        Assert.Equal(exitCode, run.ExitCode);
        SchemaValidator.Validate("check.json", run.Output);
        using var check = JsonDocument.Parse(run.Output);
        Assert.Equal(result, check.RootElement.GetProperty("result").GetString());
        Assert.Equal(exitCode, check.RootElement.GetProperty("exit_code").GetInt32());
        Assert.Equal(exitCode == 0 ? 0 : 1, check.RootElement.GetProperty("patches").GetArrayLength());
    }

    internal static FakePatch Full() => new()
    {
        Name = "lp_full",
        State = "active",
        Detail = "tab\tand \u0007bell",
        Sha256 = Digest,
        BuildId = "00112233445566778899aabbccddeeff00112233",
        File = "/var/lib/livepatchd/patches/6.12.0-13-amd64/lp_full.ko",
        Version = "2",
        Cves = ["CVE-2026-1", "CVE-2026-2"],
        Objects = [("vmlinux", "yes"), ("nf_tables", "no"), ("xfs", "unknown")],
        Functions = [("vmlinux", "cmdline_proc_show")],
        Replace = "yes",
        StackOrder = 2,
        LoadedSince = Then,
        StateSince = Then,
        RetryAt = Then,
        Attempts = 3,
        LastError = "EBUSY",
    };
}
