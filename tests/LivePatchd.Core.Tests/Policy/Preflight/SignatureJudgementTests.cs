// Signatures by what the kernel asks for: unsigned, by a key that it lacks, by one that it has or that nobody could look up.
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Preflight;
using static LivePatchd.Core.Tests.Policy.Preflight.Patches;

namespace LivePatchd.Core.Tests.Policy.Preflight;

public sealed class SignatureJudgementTests
{
    private static readonly ModuleSigner ByCertificate = new("CN=stranger", "12ab", null, "sha256", "rsa") { Lookup = "12ab31" };
    private static readonly ModuleSigner ByKey = new(null, null, "8532", "sha256", "rsa") { Lookup = "8532" };

    [Theory]
    [InlineData(false, LockdownLevel.None, false, false, null)]
    [InlineData(false, LockdownLevel.None, true, true, null)]
    [InlineData(true, LockdownLevel.None, false, false, Reason.SignatureRequired)]
    [InlineData(true, LockdownLevel.None, true, true, Reason.SignatureRequired)]
    [InlineData(true, LockdownLevel.None, true, false, null)]
    [InlineData(false, LockdownLevel.Integrity, false, false, Reason.LockedDown)]
    [InlineData(false, LockdownLevel.Integrity, true, true, Reason.LockedDown)]
    [InlineData(false, LockdownLevel.Confidentiality, true, true, Reason.LockedDown)]
    [InlineData(false, LockdownLevel.Confidentiality, true, false, null)]
    [InlineData(true, LockdownLevel.Integrity, true, true, Reason.SignatureRequired)]
    public void By_what_the_kernel_asks_for(bool enforced, LockdownLevel lockdown, bool signed, bool stranger, Reason? expected)
    {
        var patch = Patch();
        patch = patch with { Info = patch.Info with { Signed = signed, Signers = signed ? [ByCertificate] : [] } };
        var facts = Facts() with { Strangers = stranger ? [patch.Digest] : [] };
        var seen = Seen();
        var foresight = Of(patch, facts, seen with { Kernel = seen.Kernel with { SignatureEnforced = enforced, Lockdown = lockdown } });
        Assert.Equal(expected, foresight.Reason);
        if (expected is not null && signed)
            Assert.Contains("a key that the kernel does not have (CN=stranger, serial 12ab), and", foresight.Detail, StringComparison.Ordinal);
        if (expected is not null && !signed)
            Assert.StartsWith("the module is unsigned and", foresight.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_signer_is_named_as_the_signature_names_it()
    {
        var kernel = Seen().Kernel with { SignatureEnforced = true };
        string? Said(params ModuleSigner[] signers)
        {
            var patch = Patch();
            patch = patch with { Info = patch.Info with { Signed = true, Signers = [.. signers] } };
            return Of(patch, Facts() with { Strangers = [patch.Digest] }, Seen() with { Kernel = kernel }).Detail;
        }

        Assert.Contains("have (key 8532), and", Said(ByKey), StringComparison.Ordinal);
        Assert.Contains("have, and", Said(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_function_without_a_place_for_ftrace_is_refused_after_what_the_kernel_asks_first()
    {
        var patch = Patch();
        NeededSymbol function = new("vmlinux", Function, 0, IsFunction: true);
        var facts = Facts();
        var symbols = SymbolFacts.AllFound with { NotTraceable = [function] };
        var foresight = Of(patch, facts with { Symbols = facts.Symbols.SetItem(patch.Digest, symbols) });
        Assert.Equal(Reason.FunctionNotTraceable, foresight.Reason);
        Assert.Contains($"function {Function} has no ftrace location", foresight.Detail, StringComparison.Ordinal);
        var missing = symbols with { Findings = [new SymbolFinding(new("vmlinux", "gone", 0, IsFunction: true), 0, [])] };
        Assert.Equal(Reason.SymbolNotFound, Of(patch, facts with { Symbols = facts.Symbols.SetItem(patch.Digest, missing) }).Reason);
    }
}
