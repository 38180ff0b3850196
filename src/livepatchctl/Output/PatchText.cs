// A patch in words: its state with the reason, and the one line that ends an apply or a revert.
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Output;

internal static class PatchText
{
    private const int DigestLength = 12;

    public static string StateAndReason(string state, string? reason) => reason is null ? state : $"{state} ({reason})";

    public static string ShortDigest(string? digest) => digest is null ? "-" : digest[..Math.Min(DigestLength, digest.Length)];

    /// <summary>The reason's next step, with the patch's name in the place that the table of reasons leaves for it.</summary>
    public static string NextStep(ReasonInfo reason, string patch) => reason.NextStep.Replace("NAME", patch, StringComparison.Ordinal);

    /// <summary>`lp_x: active`, or with reason, sentence and next step when it is where nobody wanted it.</summary>
    public static string Outcome(PatchFacts patch)
    {
        var line = $"{patch.Name}: {StateAndReason(patch.State, patch.Reason)}";
        if (patch.KnownReason is not { } reason)
            return TextOf.Clean(line);
        var detail = patch.Detail is null ? "" : $" ({patch.Detail})";
        return TextOf.Clean($"{line}: {TextOf.WithoutStop(reason.Sentence)}{detail}; next: {TextOf.WithoutStop(NextStep(reason, patch.Name))}");
    }
}
