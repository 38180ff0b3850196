// A manifest already read → checked → Manifest, or every error in it.
using System.Collections.Immutable;
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Config;

/// <param name="Manifest">Null when there are errors: a manifest is taken whole or not at all.</param>
public sealed record ManifestResult(Manifest? Manifest, ImmutableArray<ConfigError> Errors);

public static class ManifestBuilder
{
    public static ManifestResult Build(ConfigFragment fragment)
    {
        var found = new ErrorList();
        SchemaCheck.Run(ManifestSchema.Root, fragment.Root, found);
        if (!fragment.Errors.IsEmpty || found.Count > 0)
            return new ManifestResult(null, [.. fragment.Errors, .. found.ToImmutable()]);

        var file = fragment.Root;
        var notBefore = Text(file, "not-before") is { } from ? TimestampText.TryParse(from) : null;
        var notAfter = Text(file, "not-after") is { } until ? TimestampText.TryParse(until) : null;
        if (notBefore > notAfter)
        {
            found.Add(file.Find("not-after")!.Place, "not-after", "lies before not-before");
            return new ManifestResult(null, found.ToImmutable());
        }
        // Without the digest a manifest that is put there first would count for the build that it is to follow.
        string[] together = ["stream", "sequence", "sha256"];
        if ((file.Find("stream") ?? file.Find("sequence")) is { } line && together.FirstOrDefault(k => file.Find(k) is null) is { } missing)
        {
            found.Add(line.Place, missing, "stream, sequence and sha256 go together");
            return new ManifestResult(null, found.ToImmutable());
        }
        return new ManifestResult(
            new Manifest(
                Text(file, "name") is { } name ? PatchName.TryParse(name) : null,
                Text(file, "version"),
                Texts(file, "kernels"),
                Text(file, "sha256") is { } digest ? Sha256.TryParse(digest) : null,
                Texts(file, "cves"),
                SeverityOf(Text(file, "severity")),
                Text(file, "description"),
                Names(file, "replaces"),
                Names(file, "after"),
                notBefore,
                notAfter,
                [.. NotInForce.Find(ManifestSchema.Root, file).Select(k => k.Key)])
            {
                Functions = Texts(file, "functions"),
                Conflicts = Names(file, "conflicts"),
                Stream = Text(file, "stream"),
                Sequence = Text(file, "sequence") is { } sequence ? ScalarRules.TryWhole(sequence) : null,
                Deadline = Text(file, "deadline") is { } deadline ? TimestampText.TryParse(deadline) : null,
                Gates = file.Find("gates")?.Value is MapNode ? GateOverrides.Read(new ValueReader(ManifestSchema.Root, file)) : null,
                Soak = file.Find("soak")?.Value is MapNode ? SoakOverrides.Read(new ValueReader(ManifestSchema.Root, file)) : null,
                Rollback = Text(file, "rollback") switch
                {
                    "safe" => Rollback.Safe,
                    "unsafe" => Rollback.Unsafe,
                    _ => Rollback.Unspecified,
                },
            },
            []);
    }

    private static Severity SeverityOf(string? word) => word switch
    {
        "low" => Severity.Low,
        "high" => Severity.High,
        "critical" => Severity.Critical,
        _ => Severity.Medium,
    };

    private static string? Text(MapNode file, string key) => (file.Find(key)?.Value as ScalarNode)?.Text;

    private static ImmutableArray<string> Texts(MapNode file, string key) =>
        file.Find(key)?.Value is ListNode list ? [.. list.Items.OfType<ScalarNode>().Select(s => s.Text)] : [];

    private static ImmutableArray<PatchName> Names(MapNode file, string key) => [.. Texts(file, key).Select(PatchName.Parse)];
}
