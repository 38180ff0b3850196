// YAML that people write: the configuration, and a patch's manifest; and the single values in them.
using System.Text;
using LivePatchd.Core.Config;
using LivePatchd.Linux.Config;

namespace LivePatchd.Fuzz.Targets;

internal static class YamlTargets
{
    private const string File = "some.yaml";

    private static readonly string[] Yaml =
    [
        "&a ", "*a", "!t ", "!!str ", "<<: ", "--- ", "\n---\n", "\n...\n", "? ", ": ", "- ", "|\n ", ">\n ", "|+9\n", "%YAML 1.2\n", "%TAG ! tag:\n", "# ", "\t", "\r\n",
        "\"\\x41\"", "\"\\uD800\"", "\"\\U0010FFFF\"", "\"\\U00110000\"", "~", "null", "\u00ef\u00bb\u00bf", "\u00c2\u0085", "\u00e2\u0080\u00a8", "\u00ed\u00a0\u0080", "{", "}", "[", "]", ",", "'", "\"",
    ];

    public static IReadOnlyList<Target> List { get; } =
    [
        new Target<ConfigResult>("yaml-config", static input => SettingsBuilder.Build([YamlFragmentReader.Read(File, input)]), Config)
        {
            MaxLength = YamlFragmentReader.MaxBytes + 1024,
            Words = [.. Words.Of(Yaml), .. Words.Of("gates: ", "mode: observe\n", "windows: [{days: [sat], start: \"01:00\", length: 4h}]\n", "timezone: ", "deferral: {budget: 30d}\n", "5m", "1.5", "metrics: {listen: ", "127.0.0.1:9817", "[::1]:1")],
            Made = Bulk,
        },
        new Target<ManifestResult>("yaml-manifest", static input => ManifestReader.Read(File, input), Manifest)
        {
            MaxLength = YamlFragmentReader.MaxBytes + 1024,
            Words = [.. Words.Of(Yaml), .. Words.Of("name: fix\n", "kernels: [6.1.0]\n", "sha256: ", "cves: [CVE-2024-1234]\n", "replaces: [a]\n", "not-before: 2026-01-01T00:00:00Z\n", "not-after: 9999-12-31T23:59:59.9999999-14:00\n", "deadline: 0001-01-01T00:00:00+14:00\n", "gates: {settle: 1m}\n")],
            Made = Bulk,
        },
        new Target<TimeSpan?>("duration", static input => DurationText.TryParse(Encoding.Latin1.GetString(input)), static (_, span) =>
        {
            Expect.That(span is not { } s || (s >= TimeSpan.Zero && DurationText.TryParse(DurationText.Format(s)) == s), "a span is written as it is read");
            return span is null ? "none" : "span";
        })
        {
            MaxLength = 1024,
            Words = Words.Of("d", "h", "m", "s", "ms", "999999999", "0"),
        },
        new Target<KillSwitch>("kernel-command-line", static input => KillSwitch.FromCommandLine(Encoding.UTF8.GetString(input)), static (input, found) =>
        {
            Expect.OneLine(found.Source, 512, "the source");
            Expect.That(found.Level is KillSwitchLevel.None == found.Source.Length is 0, "a switch has a source");
            // Quotes may stand anywhere in a word.
            var bare = Encoding.UTF8.GetString(input).Replace("\"", "", StringComparison.Ordinal);
            Expect.That(bare.Contains("livepatchd.mode=off", StringComparison.Ordinal) || found.Level is not KillSwitchLevel.Off, "nothing but the word switches off");
            return $"{found.Level}";
        })
        {
            Words = Words.Of("livepatchd.mode=apply", "livepatchd.mode=off", "livepatchd.mode=", "kpatch.enable=0", "\"", " ", "\0", "\n"),
        },
    ];

    // What a person would never write, and who attacks would.
    private static byte[][] Bulk =>
    [
        Text(string.Concat(Enumerable.Range(0, 9_000).Select(static i => $"key{i}: 1\n"))),
        Text(string.Concat(Enumerable.Range(0, 4_900).Select(static i => $"gates-{i}-{new string('x', 50)}: 1\n"))),
        Text("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n"),
        Text(new string('[', 100_000)),
        Text(new string('{', 100_000)),
        Text(string.Concat(Enumerable.Repeat("- ", 50_000))),
        Text(string.Concat(Enumerable.Repeat("? ", 50_000))),
        Text("description: " + new string('x', 1_000_000)),
        Text("description: |\n" + string.Concat(Enumerable.Repeat("  line\n", 100_000))),
        Text("directories: [" + string.Concat(Enumerable.Repeat("{path: /a}, ", 3_000)) + "]\n"),
        Text(string.Concat(Enumerable.Range(0, 16).Select(static i => new string(' ', i) + new string('k', 60) + ":\n")) + string.Concat(Enumerable.Repeat(new string(' ', 16) + "k: v\n", 4_000))),
        Text("kernels: [" + string.Concat(Enumerable.Repeat("\"6.1.0\", ", 5_000)) + "]\n"),
        Text(new string('#', 1_000_000)),
        Text(new string('\n', 1_000_000)),
    ];

    private static string Config(ReadOnlySpan<byte> input, ConfigResult result)
    {
        Expect.That(result.Settings is not null, "there are always settings");
        Expect.That(result.Errors.IsEmpty || result.Settings!.Mode is DaemonMode.Observe, "whoever did not understand changes nothing");
        Expect.That(result.Errors.Length <= 3 * (ErrorList.MaxErrors + 1), "errors are bounded");
        foreach (var error in result.Errors)
            Error(error);
        return Kind(result.Errors.AsSpan());
    }

    private static string Manifest(ReadOnlySpan<byte> input, ManifestResult result)
    {
        Expect.That((result.Manifest is null) == !result.Errors.IsEmpty, "a manifest or errors");
        foreach (var error in result.Errors)
            Error(error);
        if (result.Manifest is not { } manifest)
            return Kind(result.Errors.AsSpan());
        Expect.OneLine(manifest.Version, 64, "the version");
        foreach (var function in manifest.Functions)
            Expect.OneLine(function, 511, "a function");
        foreach (var kernel in manifest.Kernels)
            Expect.OneLine(kernel, 64, "a kernel");
        Expect.That(manifest.NotBefore is not { } from || manifest.NotAfter is not { } until || from <= until, "the interval is not empty");
        return $"manifest {manifest.Name is null} {manifest.Sha256 is null} {manifest.Severity} {manifest.Kernels.Length} {manifest.NotBefore is null} {manifest.Gates is null} {Expect.Size(manifest.NotInForce.Length)}";
    }

    private static void Error(ConfigError error)
    {
        Expect.OneLine(error.ToString(), 4096, "an error");
        Expect.That(error.Line >= 0, "a line is not negative");
    }

    // The first errors without what they quote.
    private static string Kind(ReadOnlySpan<ConfigError> errors)
    {
        var kind = new StringBuilder(Expect.Size(errors.Length));
        foreach (var error in errors[..Math.Min(2, errors.Length)])
        {
            var quoted = false;
            kind.Append(' ');
            foreach (var c in error.Message)
            {
                quoted ^= c == '"';
                if (!quoted && !char.IsAsciiDigit(c) && kind.Length < 100)
                    kind.Append(c);
            }
        }
        return kind.ToString();
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
