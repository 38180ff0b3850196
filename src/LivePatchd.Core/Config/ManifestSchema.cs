// Every key of a patch's manifest NAME.yaml: its type and range.
using LivePatchd.Core.Model;
using static LivePatchd.Core.Config.ScalarRules;

namespace LivePatchd.Core.Config;

internal static class ManifestSchema
{
    private const int MaxListed = 1024;
    private const int MaxSequence = 999_999_999;

    public static Schema.Map Root { get; } = new(
    [
        Now("schema", Word("1")),
        Now("name", Name),
        Now("version", Line(64)),
        new("kernels", new Schema.List(new Schema.Scalar(Matching(IsKernelRelease, "a kernel release such as 6.12.48-1-amd64")), 1, MaxListed)),
        Now("sha256", Matching(t => Sha256.TryParse(t) is not null, "a SHA-256 digest of 64 hexadecimal digits")),
        new("cves", new Schema.List(new Schema.Scalar(Matching(IsCve, "an identifier such as CVE-2024-1234")), 0, MaxListed)),
        Now("severity", Word("low", "medium", "high", "critical")),
        Now("description", Lines(4096)),
        new("functions", new Schema.List(new Schema.Scalar(Matching(IsSymbol, "the name of a kernel function")), 0, MaxListed)),
        new("replaces", Names),
        new("after", Names),
        new("conflicts", Names),
        Now("stream", Matching(IsStream, "the name of a stream of 1 to 64 characters a-z 0-9 . _ -")),
        Now("sequence", Whole(1, MaxSequence)),
        Now("rollback", Word("safe", "unsafe")),
        Now("not-before", Time),
        Now("not-after", Time),
        Now("deadline", Time),
        new("gates", ConfigSchema.Gates),
        new("soak", ConfigSchema.Soak),
        new("parameters", new Schema.Table(Matching(IsParameter, "the name of a module parameter"), Line(256), 64)) { InForce = false },
    ]);

    private static Schema Names => new Schema.List(new Schema.Scalar(Name), 0, MaxListed);

    private static ScalarRule Name => Matching(t => PatchName.TryParse(t) is not null, "a module name of 1 to 55 characters A-Z a-z 0-9 _ -");

    private static ScalarRule Time => Matching(t => TimestampText.TryParse(t) is not null, "a time such as 2026-01-31T12:00:00Z");

    private static SchemaKey Now(string name, ScalarRule rule) => new(name, new Schema.Scalar(rule));

    private static bool IsKernelRelease(string text) =>
        text.Length is > 0 and <= 64 && char.IsAsciiDigit(text[0]) && All(text, c => c is '.' or '_' or '+' or '~' or '-');

    private static bool IsCve(string text)
    {
        var parts = text.Split('-');
        return parts is ["CVE", { Length: 4 }, { Length: >= 4 and <= 12 }] && parts[1..].All(p => p.All(char.IsAsciiDigit));
    }

    private static bool IsSymbol(string text) =>
        text.Length is > 0 and <= 511 && !char.IsAsciiDigit(text[0]) && All(text, c => c is '_' or '.' or '$');

    private static bool IsStream(string text) =>
        text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-');

    private static bool IsParameter(string text) => text.Length is > 0 and <= 64 && All(text, c => c is '_' or '-');

    private static bool All(string text, Func<char, bool> other) => text.All(c => char.IsAsciiLetterOrDigit(c) || other(c));
}
