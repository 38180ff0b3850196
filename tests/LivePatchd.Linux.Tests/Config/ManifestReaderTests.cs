// Every key of a manifest, one table, and the manifest that comes of it.
using System.Text;
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Config;

namespace LivePatchd.Linux.Tests.Config;

public sealed class ManifestReaderTests
{
    private const string Digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";

    private static readonly (string Key, bool InForce, string[] Good, string[] Bad)[] Table =
    [
        ("schema", true, ["1", "\"1\""], ["2", "one", "[1]", ""]),
        ("name", true, ["fix_cve", "fix-cve-1"], ["fix cve", "../x", "", new string('a', 56), "[a]"]),
        ("version", true, ["1.0", "2026-01"], ["\"a\\nb\"", new string('1', 65), ""]),
        ("kernels", true, ["[6.12.48-1-amd64]", "[6.1.0-40-cloud-amd64, 6.12.48+deb13-amd64]"], ["[]", "6.1.0", "[x]", "[\"6.1/..\"]", "[{a: b}]", "[~]"]),
        ("sha256", true, [Digest, Digest.ToLowerInvariant()], ["abc", Digest + "0", "[x]"]),
        ("cves", true, ["[]", "[CVE-2024-1234]", "[CVE-2024-1234, CVE-2025-1234567]"], ["CVE-2024-1234", "[cve-2024-1234]", "[CVE-24-1]", "[CVE-2024-12x4]"]),
        ("severity", true, ["low", "medium", "high", "critical"], ["urgent", "Low", ""]),
        ("description", true, ["text", "\"two\\nlines\""], ["\"\\e[31m\"", "[a]"]),
        ("functions", true, ["[]", "[cmdline_proc_show, foo.llvm.123]"], ["foo", "[\"a b\"]", "[1foo]"]),
        ("replaces", true, ["[]", "[old_fix]"], ["old_fix", "[a/b]"]),
        ("after", true, ["[first-fix]"], ["first", "[a b]"]),
        ("conflicts", true, ["[other]"], ["other", "[a/b]"]),
        ("stream", true, ["core\nsequence: 1\nsha256: " + Digest, "a.b-c_9\nsequence: 999999999\nsha256: " + Digest], ["Core", "\"a b\"", "", new string('a', 65), "[a]"]),
        ("sequence", true, ["1\nstream: core\nsha256: " + Digest], ["0", "-1", "1000000000", "2147483648", "1.5", "one"]),
        ("rollback", true, ["safe", "unsafe"], ["maybe", "true"]),
        ("not-before", true, ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00.5Z"], ["2026-01-31", "2026-01-31T12:00:00", "tomorrow", "2026-02-30T12:00:00Z"]),
        ("not-after", true, ["2026-01-31T12:00:00Z"], ["2026-13-01T00:00:00Z"]),
        ("deadline", true, ["2026-01-31T12:00:00Z"], ["24h"]),
        ("gates", true, ["{settle: 1m}", "{load: {max-per-cpu: 1}}"], ["[]", "{setle: 1m}", "x"]),
        ("soak", true, ["{duration: 1h}", "{checks: {oops: true}}"], ["1h", "{duration: x}"]),
        ("parameters", false, ["{debug: 1}", "{a: x, b: \"y z\"}"], ["[a]", "{\"a b\": 1}", "{a: [1]}", "debug=1", "{a: \"x\\ny\"}"]),
    ];

    public static TheoryData<string, string> GoodValues => Values(r => r.Good);

    public static TheoryData<string, string> BadValues => Values(r => r.Bad);

    [Theory]
    [MemberData(nameof(GoodValues))]
    public void Accepts(string key, string value)
    {
        var result = Read($"{key}: {value}\n");
        Assert.Empty(result.Errors);
        Assert.NotNull(result.Manifest);
        Assert.Equal(!Table.Single(r => r.Key == key).InForce, result.Manifest.NotInForce.Any(k => k == key || k.StartsWith(key + ".", StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(BadValues))]
    public void Refuses(string key, string value)
    {
        var result = Read($"# a comment\n{key}: {value}\n");
        Assert.Null(result.Manifest);
        Assert.NotEmpty(result.Errors);
        Assert.All(result.Errors, e =>
        {
            Assert.Equal(("fix.yaml", 2), (e.File, e.Line));
            Assert.StartsWith(key, e.Key, StringComparison.Ordinal);
            Assert.True(ConfigText.IsOneLine(e.Message));
        });
    }

    [Fact]
    public void The_table_has_every_key()
    {
        var listed = Read("zzzzzzzz: 1\n").Errors.Single().Message.Split(": ")[1].Split(", ");
        Assert.Equal(listed.Order(StringComparer.Ordinal), Table.Select(r => r.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_value_reaches_the_manifest()
    {
        var manifest = Read(
            $"""
            schema: 1
            name: fix-cve
            version: "3"
            kernels: [6.1.0-40-amd64, 6.12.48-1-amd64]
            sha256: {Digest}
            cves: [CVE-2024-1234]
            severity: critical
            description: |
              Fixes the thing.
            functions: [cmdline_proc_show]
            replaces: [old-fix]
            after: [base]
            rollback: safe
            not-before: 2026-01-01T00:00:00Z
            not-after: 2026-06-01T00:00:00+02:00
            conflicts: []
            deadline: 2026-05-01T00:00:00Z
            gates:
              settle: 1m
              io-pressure:
                full-avg10: 2
              windows:
                - start: "02:00"
                  length: 1h
            """).Manifest!;
        Assert.Equal(PatchName.Parse("fix_cve"), manifest.Name);
        Assert.Equal("3", manifest.Version);
        Assert.Equal(["6.1.0-40-amd64", "6.12.48-1-amd64"], manifest.Kernels);
        Assert.Equal(Digest.ToLowerInvariant(), manifest.Sha256?.Hex);
        Assert.Equal(["CVE-2024-1234"], manifest.Cves);
        Assert.Equal(Severity.Critical, manifest.Severity);
        Assert.Equal("Fixes the thing.\n", manifest.Description);
        Assert.Equal(["cmdline_proc_show"], manifest.Functions);
        Assert.Equal([PatchName.Parse("old_fix")], manifest.Replaces);
        Assert.Equal([PatchName.Parse("base")], manifest.After);
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), manifest.NotBefore);
        Assert.Equal(new DateTimeOffset(2026, 5, 31, 22, 0, 0, TimeSpan.Zero), manifest.NotAfter);
        Assert.Equal(new DateTimeOffset(2026, 5, 1, 0, 0, 0, TimeSpan.Zero), manifest.Deadline);
        Assert.Equal(
            new GateOverrides
            {
                Settle = TimeSpan.FromMinutes(1),
                IoFullRatio = 0.02,
                Windows = manifest.Gates!.Windows,
            },
            manifest.Gates);
        Assert.Equal([new MaintenanceWindow(WeekDays.All, new TimeOnly(2, 0), TimeSpan.FromHours(1), "UTC")], manifest.Gates.Windows!.Value);
        Assert.Empty(manifest.NotInForce);
    }

    [Fact]
    public void An_empty_manifest_says_nothing()
    {
        var manifest = Read("").Manifest!;
        Assert.Null(manifest.Name);
        Assert.Empty(manifest.Kernels);
        Assert.Equal(Severity.Medium, manifest.Severity);
    }

    [Fact]
    public void Keys_not_in_force_are_named_in_full() =>
        Assert.Equal(
            ["parameters"],
            Read("parameters: {a: 1}\nsoak: {duration: 1h}\nrollback: unsafe\n").Manifest!.NotInForce);

    [Theory]
    [InlineData("stream: core\n", "sequence")]
    [InlineData("sequence: 1\n", "stream")]
    [InlineData("sequence: 1\nstream: core\n", "sha256")]
    public void A_stream_its_sequence_and_the_digest_go_together(string yaml, string missing) => Assert.Equal(missing, Assert.Single(Read(yaml).Errors).Key);

    [Fact]
    public void All_errors_are_reported_with_suggestions()
    {
        var errors = Read("nmae: x\nseverity: hihg\nkernel: [6.1.0]\n").Errors;
        Assert.Equal([(1, "nmae"), (2, "severity"), (3, "kernel")], errors.Select(e => (e.Line, e.Key)));
        Assert.Contains("did you mean name?", errors[0].Message, StringComparison.Ordinal);
        Assert.Contains("did you mean high?", errors[1].Message, StringComparison.Ordinal);
        Assert.Contains("did you mean kernels?", errors[2].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_validity_that_ends_before_it_begins_is_refused()
    {
        var error = Assert.Single(Read("not-before: 2026-02-01T00:00:00Z\nnot-after: 2026-01-01T00:00:00Z\n").Errors);
        Assert.Equal((2, "not-after"), (error.Line, error.Key));
    }

    private static ManifestResult Read(string yaml) => ManifestReader.Read("fix.yaml", Encoding.UTF8.GetBytes(yaml));

    private static TheoryData<string, string> Values(Func<(string Key, bool InForce, string[] Good, string[] Bad), string[]> pick)
    {
        var data = new TheoryData<string, string>();
        foreach (var row in Table)
        {
            foreach (var value in pick(row))
                data.Add(row.Key, value);
        }
        return data;
    }
}
