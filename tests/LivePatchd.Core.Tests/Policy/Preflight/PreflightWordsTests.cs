// What is said of symbols and system states before a load, word by word, and the words of the notes themselves.
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Preflight;
using static LivePatchd.Core.Tests.Policy.Preflight.Patches;

namespace LivePatchd.Core.Tests.Policy.Preflight;

public sealed class PreflightWordsTests
{
    [Fact]
    public void Every_kind_of_note_has_a_word_of_its_own()
    {
        Assert.Equal(
            ["target-not-loaded", "traced", "bpf-attached", "probe-stops", "stacks-on", "replaces", "manifest-ignored", "unknown"],
            Enum.GetValues<PreflightNoteKind>().Select(k => k.Word()));
        Assert.Throws<ArgumentOutOfRangeException>(() => ((PreflightNoteKind)99).Word());
    }

    [Theory]
    [InlineData("", "")]
    [InlineData(".cold", " but as {0}: only its rarely run part was kept apart")]
    [InlineData(".constprop.0", " but as {0}: the compiler made a copy for constant arguments")]
    [InlineData(".isra.0", " but as {0}: the compiler changed its arguments")]
    [InlineData(".part.0", " but as {0}: the compiler split it")]
    [InlineData(".lto_priv.0", " but as {0}")]
    public void A_symbol_that_is_there_under_another_name_is_explained(string suffix, string expected)
    {
        var foresight = Of(Patch(), Facts(new SymbolFinding(new("vmlinux", Function, 0, true), 0, suffix.Length > 0 ? [Function + suffix] : [])));
        Assert.Equal(Reason.SymbolNotFound, foresight.Reason);
        Assert.Equal($"function {Function} does not exist{expected.Replace("{0}", Function + suffix, StringComparison.Ordinal)}", foresight.Detail);
    }

    [Theory]
    [InlineData("vmlinux", true, 0UL, 2, Reason.SymbolAmbiguous, "function f exists 2 times, and the patch does not say which is meant")]
    [InlineData("nf_tables", false, 3UL, 2, Reason.SymbolNotFound, "symbol f of module nf_tables exists 2 times, and the patch asks for number 3")]
    [InlineData("nf_tables", true, 0UL, 0, Reason.SymbolNotFound, "function f of module nf_tables does not exist")]
    [InlineData("vmlinux", false, 0UL, 0, Reason.SymbolNotFound, "symbol f does not exist")]
    public void A_symbol_is_named_with_its_object(string owner, bool isFunction, ulong position, int count, Reason reason, string detail)
    {
        var foresight = Of(Patch(), Facts(
            new SymbolFinding(new(owner, "f", position, isFunction), count, []), new SymbolFinding(new("vmlinux", "later", 0, true), 0, [])));
        Assert.Equal((reason, detail), (foresight.Reason, foresight.Detail));
    }

    [Fact]
    public void A_file_that_does_not_tell_its_functions_gets_a_note()
    {
        var foresight = Of(Patch() with { Footprint = PatchFootprint.Unknown }, Facts());
        Assert.Null(foresight.Reason);
        Assert.Equal("the file does not tell which functions it replaces", Assert.Single(foresight.Notes).Text);
        Assert.Empty(Of(Patch() with { Footprint = null }, Facts()).Notes);
    }

    [Fact]
    public void System_states_count_only_of_another_patch_that_is_in_the_kernel_and_whose_file_tells()
    {
        var lacking = Patch(replace: true);
        var installed = Patch(states: new SystemState(1, 2)).Footprint;
        var other = Loaded("lp_other", "vmlinux", "uptime_proc_show");
        Assert.Equal((Reason.IncompatibleState, "it replaces lp_other, but lacks its system state 1"), Verdict(lacking, other, installed));
        Assert.Equal((Reason.IncompatibleState, "system state 1 has version 2 by lp_other, and 1 here"), Verdict(Patch(states: new SystemState(1, 1)), other, installed));
        Assert.Equal((null, null), Verdict(lacking, other with { Directory = false }, installed));
        Assert.Equal((null, null), Verdict(lacking, other with { Name = lacking.Name }, installed));
        Assert.Equal((null, null), Verdict(lacking, other, null));
        Assert.Equal((null, null), Verdict(lacking, other, PatchFootprint.Unknown));
        Assert.Equal((null, null), Verdict(lacking with { Footprint = null }, other, installed));
        Assert.Equal((null, null), Verdict(lacking with { Footprint = PatchFootprint.Unknown }, other, installed));
    }

    private static (Reason? Reason, string? Detail) Verdict(PatchModule module, LoadedPatch loaded, PatchFootprint? installed)
    {
        var foresight = Of(module, Facts(), Seen(loaded), installed);
        return (foresight.Reason, foresight.Detail);
    }
}
