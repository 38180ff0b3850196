// Every requirement against every finding: what may be loaded, and the reason where it may not.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Trust;

namespace LivePatchd.Core.Tests.Policy.Trust;

public sealed class TrustRuleTests
{
    private static readonly Manifest Pinned = Streams.Manifest() with { Sha256 = Sha256.TryParse(new string('a', 64)) };

    public static TheoryData<TrustRequirement, SignatureState, SignatureState, Reason?> Table()
    {
        var table = new TheoryData<TrustRequirement, SignatureState, SignatureState, Reason?>();
        foreach (var module in Enum.GetValues<SignatureState>())
        {
            foreach (var manifest in Enum.GetValues<SignatureState>())
            {
                table.Add(TrustRequirement.None, module, manifest, null);
                table.Add(TrustRequirement.ModuleSignature, module, manifest, Expected(module));
                table.Add(TrustRequirement.ManifestSignature, module, manifest, Expected(manifest));
                table.Add(TrustRequirement.Both, module, manifest, Expected(module) ?? Expected(manifest));
            }
        }
        return table;
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Only_a_verified_signature_is_one(TrustRequirement require, SignatureState module, SignatureState manifest, Reason? expected) =>
        Assert.Equal(expected, Judge(require, module, manifest, Pinned)?.Reason);

    [Fact]
    public void A_signed_manifest_without_the_digest_says_nothing_of_the_module()
    {
        var loose = Pinned with { Sha256 = null };
        Assert.Equal(Reason.DigestNotPinned, Judge(TrustRequirement.ManifestSignature, SignatureState.Unsigned, SignatureState.Verified, loose)!.Reason);
        Assert.Null(Judge(TrustRequirement.ModuleSignature, SignatureState.Verified, SignatureState.Verified, loose));
    }

    [Fact]
    public void No_manifest_is_no_signed_manifest() =>
        Assert.Equal(Reason.SignatureMissing, Judge(TrustRequirement.Both, SignatureState.Verified, SignatureState.Unsigned, null)!.Reason);

    private static Distrust? Judge(TrustRequirement require, SignatureState module, SignatureState manifest, Manifest? pinned) => TrustRule.Judge(
        TrustSettings.Default with { Require = require },
        new Evidence(new SignatureEvidence(module, "CN=a", "k", "why"), new SignatureEvidence(manifest, "CN=a", "k", "why")),
        pinned);

    private static Reason? Expected(SignatureState state) => state switch
    {
        SignatureState.Verified => null,
        SignatureState.Unsigned => Reason.SignatureMissing,
        SignatureState.Unchecked => Reason.TrustUnavailable,
        SignatureState.Untrusted => Reason.SignatureUntrusted,
        _ => Reason.SignatureMismatch,
    };
}
