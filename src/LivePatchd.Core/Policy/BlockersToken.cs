// The word that an operator copies from the report of the blockers to prove that they have seen it.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Policy;

public static class BlockersToken
{
    private const int Digits = 12;

    /// <summary>The same for as long as the transition runs, and of no use for the next one. A precaution, not a secret.</summary>
    public static string Of(string bootId, PatchName patch, bool enabling, Instant since)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{bootId} {patch} {(enabling ? 1 : 0)} {since.Monotonic.Ticks}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..Digits];
    }
}
