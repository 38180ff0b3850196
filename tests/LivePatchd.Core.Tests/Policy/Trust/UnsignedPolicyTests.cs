// Which keys of a manifest count, by who signed it and by what must be signed.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Core.Policy.Trust;
using LivePatchd.Core.Tests.Planning;

namespace LivePatchd.Core.Tests.Policy.Trust;

public sealed class UnsignedPolicyTests
{
    private static readonly Manifest Deciding = Scene.Plain with
    {
        Severity = Severity.Critical,
        Gates = new GateOverrides(),
        Soak = new SoakOverrides { Duration = TimeSpan.Zero },
        Deadline = DateTimeOffset.UnixEpoch,
        Rollback = Rollback.Unsafe,
        Cves = ["CVE-2030-1"],
    };

    private static Manifest Strip(Manifest manifest, TrustRequirement require, SignatureState state) => UnsignedPolicy.Strip(
        manifest, new TrustSettings(require, "/k", "root"), new Evidence(new SignatureEvidence(SignatureState.Verified), new SignatureEvidence(state)))!;

    [Theory]
    [InlineData(SignatureState.Unsigned)]
    [InlineData(SignatureState.Unchecked)]
    [InlineData(SignatureState.Untrusted)]
    [InlineData(SignatureState.Mismatch)]
    public void Strip_ModulesMustBeSignedAndTheManifestIsNot_LeavesTheDescribingKeys(SignatureState state)
    {
        var left = Strip(Deciding, TrustRequirement.ModuleSignature, state);
        Assert.Equal(["severity", "gates", "soak", "deadline", "rollback"], left.Ignored);
        Assert.Equal((Severity.Medium, Rollback.Unspecified), (left.Severity, left.Rollback));
        Assert.True(left is { Gates: null, Soak: null, Deadline: null });
        Assert.Equal(Deciding.Cves, left.Cves);
        Assert.Same(Scene.Plain, Strip(Scene.Plain, TrustRequirement.ModuleSignature, state));
    }

    [Theory]
    [InlineData(TrustRequirement.None, SignatureState.Unsigned)]
    [InlineData(TrustRequirement.ModuleSignature, SignatureState.Verified)]
    [InlineData(TrustRequirement.Both, SignatureState.Verified)]
    public void Strip_NothingMustBeSignedOrTheManifestIs_ChangesNothing(TrustRequirement require, SignatureState state) =>
        Assert.Same(Deciding, Strip(Deciding, require, state));

    [Fact]
    public void Plan_IgnoredKeys_AreANote()
    {
        var input = new Scene { Wanted = [Scene.File(Strip(Deciding, TrustRequirement.ModuleSignature, SignatureState.Unsigned))] }.Input;
        var note = Assert.Single(Assert.Single(PatchPrediction.All(input, Planner.Decide(input))).Notes, n => n.Kind is PreflightNoteKind.ManifestIgnored);
        Assert.Equal("its manifest is not signed, so these keys are ignored: severity, gates, soak, deadline, rollback", note.Text);
    }
}
