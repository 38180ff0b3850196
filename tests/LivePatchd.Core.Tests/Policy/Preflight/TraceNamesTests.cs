// How those are named who hold a patch's function: probes, programs and tracers, each by what is known of it.
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;
using LivePatchd.Core.Policy.Preflight;
using static LivePatchd.Core.Tests.Policy.Preflight.Patches;

namespace LivePatchd.Core.Tests.Policy.Preflight;

public sealed class TraceNamesTests
{
    private static readonly TracedFunction Plain = new(Function, null, false, false, null, null);
    private static readonly TracedFunction Held = Plain with { IpModify = true, Handler = "kprobe_ftrace_handler" };
    private static readonly ProbePoint Probe = new(Function, 4, null, false, true, false);

    [Fact]
    public void A_holder_without_a_probe_is_named_by_what_the_kernel_shows_of_it()
    {
        Assert.Equal("held by kprobe_ftrace_handler", Holder(Held));
        Assert.Equal("held by another user of ftrace", Holder(Held with { Handler = null }));
        var direct = Held with { Handler = null, IsDirect = true };
        Assert.Equal("held by a direct caller", Holder(direct));
        Assert.Equal("held by some_module_call", Holder(direct with { Direct = "some_module_call" }));
        Assert.Equal("held by a BPF program (bpf_trampoline_77)", Holder(direct with { Direct = "bpf_trampoline_77" }));
        Assert.Equal("held by BPF program 7 of tracer (pid 9)", Holder(direct with { Direct = "bpf_trampoline_77", Owner = "program 7 of tracer (pid 9)" }));
    }

    [Fact]
    public void Of_several_probes_the_one_without_an_event_is_the_holder()
    {
        var named = new ProbeEvent("lab/at", Function, 0, null, false);
        var other = Probe with { Offset = 5, IsReturn = true };
        Assert.Equal($"held by a kretprobe ({Function}+0x5) with a post handler", Holder(Held, [Probe, other], [named]));
        Assert.Equal($"held by probe lab/at ({Function}+0x4) with a post handler", Holder(Held, [Probe], [named]));
    }

    [Fact]
    public void A_probe_that_is_off_elsewhere_or_not_on_ftrace_holds_nothing()
    {
        Assert.Equal("held by kprobe_ftrace_handler", Holder(Held, [Probe with { IsOff = true }]));
        Assert.Equal("held by kprobe_ftrace_handler", Holder(Held, [Probe with { OnFtrace = false }]));
        Assert.Equal("held by kprobe_ftrace_handler", Holder(Held, [Probe with { Module = "other" }]));
        Assert.Equal("held by kprobe_ftrace_handler", Holder(Held, [Probe with { Symbol = "another" }]));
    }

    [Theory]
    [InlineData(Function, 4UL, null, null, false, true)]
    [InlineData("another", 4UL, null, null, false, false)]
    [InlineData(Function, 8UL, null, null, false, false)]
    [InlineData(Function, 4UL, null, null, true, false)]
    [InlineData(Function, 4UL, "nf_tables", null, false, true)]
    [InlineData(Function, 4UL, null, "nf_tables", false, true)]
    [InlineData(Function, 4UL, "nf_tables", "nf_tables", false, true)]
    [InlineData(Function, 4UL, "other", "nf_tables", false, false)]
    public void An_event_names_a_probe_only_of_its_own_place(string symbol, ulong offset, string? ofEvent, string? ofProbe, bool isReturn, bool isNamed)
    {
        var foresight = Of(Patch(ofProbe ?? "vmlinux"), Traced([], [Probe with { Module = ofProbe, OnFtrace = false }], [new ProbeEvent("lab/at", symbol, offset, ofEvent, isReturn)]));
        Assert.Null(foresight.Reason);
        var note = Assert.Single(foresight.Notes, n => n.Kind is PreflightNoteKind.ProbeStops);
        Assert.StartsWith(isNamed ? $"probe lab/at ({Function}+0x4)" : $"a kprobe ({Function}+0x4)", note.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_at_the_start_names_a_probe_that_was_moved_but_not_one_inside() => Assert.Equal(
        ["a kprobe", "probe lab/at"],
        new[] { false, true }.Select(onFtrace => Of(Patch(), Traced([], [Probe with { OnFtrace = onFtrace }], [new ProbeEvent("lab/at", Function, 0, null, false)])).Notes[0].Text.Split(" (")[0]));

    [Fact]
    public void Names_that_several_functions_have_accuse_nobody()
    {
        var several = Traced([Held, Plain with { Handler = "klp_ftrace_handler" }]);
        Assert.Equal(Reason.FtraceConflict, Of(Patch(), several).Reason);
        var foresight = Of(Patch(position: 2), several);
        Assert.Null(foresight.Reason);
        var note = Assert.Single(foresight.Notes);
        Assert.Equal(PreflightNoteKind.Unknown, note.Kind);
        Assert.Contains("there are several of this name", note.Text, StringComparison.Ordinal);
        Assert.Equal(Reason.FtraceConflict, Of(Patch(position: 2), Traced([Held])).Reason);
    }

    [Fact]
    public void The_first_in_the_way_is_named_and_tracers_are_notes()
    {
        var foresight = Of(Patch(), Traced([Held with { Handler = "first" }, Held with { Handler = "second" }, Plain, Plain with { Handler = "tracer" }]));
        Assert.Equal(Reason.FtraceConflict, foresight.Reason);
        Assert.EndsWith("held by first", foresight.Detail, StringComparison.Ordinal);
        Assert.Equal(
            [$"{Function} of vmlinux is traced: both go on working", $"{Function} of vmlinux is traced by tracer: both go on working"],
            foresight.Notes.Select(n => n.Text));
    }

    [Fact]
    public void Only_a_patch_of_the_same_function_of_the_same_object_is_stacked_upon()
    {
        var facts = Traced([Held]);
        Assert.Null(Of(Patch(), facts, Seen(Loaded("lp_other", "vmlinux", Function))).Reason);
        Assert.Equal(Reason.FtraceConflict, Of(Patch(), facts, Seen(Loaded("lp_other", "vmlinux", "uptime_proc_show"))).Reason);
        Assert.Equal(Reason.FtraceConflict, Of(Patch(), facts, Seen(Loaded("lp_other", "nf_tables", Function))).Reason);
        Assert.Equal(Reason.FtraceConflict, Of(Patch(), facts, Seen(Loaded("lp_other", "vmlinux", Function) with { Directory = false })).Reason);
    }

    [Fact]
    public void Without_tables_or_a_reading_nothing_is_said_of_tracers()
    {
        Assert.Null(Of(Patch() with { Footprint = null }, Traced([Held])).Reason);
        Assert.Null(Of(Patch() with { Footprint = Core.Elf.PatchFootprint.Unknown }, Traced([Held])).Reason);
        Assert.Null(Of(Patch(), Traced([Held]) with { ReadAt = null }).Reason);
    }

    private static string Holder(TracedFunction traced, ProbePoint[]? probes = null, ProbeEvent[]? events = null)
    {
        var foresight = Of(Patch(), Traced([traced], probes, events));
        Assert.Equal(Reason.FtraceConflict, foresight.Reason);
        Assert.StartsWith($"{Function} of vmlinux is held by ", foresight.Detail, StringComparison.Ordinal);
        return foresight.Detail![$"{Function} of vmlinux is ".Length..];
    }

    private static PreflightFacts Traced(TracedFunction[] functions, ProbePoint[]? probes = null, ProbeEvent[]? events = null) =>
        Facts() with { Trace = new TraceFacts([.. functions], [.. probes ?? []], [.. events ?? []], []) };
}
