// Every key of livepatchd.yaml: its type, its range, its default where this version acts on it.
using static LivePatchd.Core.Config.ScalarRules;

namespace LivePatchd.Core.Config;

internal static class ConfigSchema
{
    public const int MaxDirectories = 16;

    public static Schema.Map Gates { get; } = new(
    [
        new("load", new Schema.Map(
        [
            Now("max-per-cpu", Number(0.01m, 1000, "a load per CPU such as 1.5"), "1.5"),
            Now("reopen-below", Number(0.01m, 1000, "a load per CPU such as 1.0"), "1.0"),
        ])),
        new("io-pressure", new Schema.Map(
        [
            Now("some-avg10", Percentage, "20"),
            Now("full-avg10", Percentage, "5"),
            Now("reopen-ratio", Ratio, "0.5"),
        ])),
        new("cpu-pressure", new Schema.Map([Now("some-avg10", Percentage, "60")])),
        new("memory-pressure", new Schema.Map(
        [
            Now("some-avg10", Percentage, "100"),
            Now("full-avg10", Percentage, "5"),
        ])),
        new("network", new Schema.Map(
        [
            Now("max-retransmit-ratio", Ratio, "0.02"),
            Now("max-squeezes-per-second", Number(0, (decimal)NetworkMarks.MaxSqueezesPerSecond, "a number of squeezes such as 100"), "100"),
        ])),
        new("windows", new Schema.List(Window, 0, 64), "[]"),
        Now("min-uptime", Duration("0s", "7d"), "0s"),
        Now("settle", Duration("0s", "1h"), "30s"),
        Now("unavailable", Word("apply", "hold"), "hold"),
    ]);

    public static Schema.Map Soak { get; } = new(
    [
        Now("duration", Duration("0s", "7d"), "15m"),
        Now("on-failure", Word("revert"), "revert"),
        Now("quarantine", Duration("1m", "30d"), "24h"),
        Now("confirm", Word("automatic", "manual"), "automatic"),
        new("checks", new Schema.Map(
        [
            Now("warnings", Weight, "suspect"),
            Now("oops", Weight, "suspect"),
            Now("units", Weight, "suspect"),
            Now("pressure", Weight, "report"),
            new("coincidental-units", new Schema.List(new Schema.Scalar(UnitPattern), 0, 64), "[\"user@*\", \"user-runtime-dir@*\", \"*.scope\", \"run-*\"]"),
            Now("unit-uptime", Duration("0s", "1d"), "10m"),
            new("commands", new Schema.List(new Schema.Scalar(ServiceName), 0, 16), "[]"),
        ])),
    ]);

    public static Schema.Map Root { get; } = new(
    [
        Now("mode", Word("apply", "observe"), "apply"),
        new("directories", new Schema.List(Directory, 1, MaxDirectories), "[{path: /var/lib/livepatchd/patches}]"),
        Now("drift", Word("report", "restore"), "report"),
        new("boot", new Schema.Map([Now("wait", Duration("0s", "1d"), "10m")])),
        new("store", new Schema.Map([Now("keep", Whole(0, 5), "1")])),
        new("gates", Gates),
        new("deferral", new Schema.Map(
        [
            Now("budget", Duration("0s", "30d"), "24h"),
            Now("then", Word("apply", "hold"), "apply"),
            Now("critical-budget", Duration("0s", "30d"), "1h"),
        ])),
        new("transition", new Schema.Map(
        [
            Now("report-after", Auto(Duration("1s", "1h")), "auto"),
            Now("reverse-after", Auto(Duration("1s", "1d")), "auto"),
            Now("attempts", Whole(1, 100), "5"),
            new("backoff", new Schema.Map(
            [
                Now("first", Duration("1s", "1d"), "5m"),
                Now("max", Duration("1s", "7d"), "6h"),
            ])),
            new("abort-pressure", new Schema.Map([Now("io-full-avg10", Percentage, "40")])),
        ])),
        new("soak", Soak),
        new("trust", new Schema.Map(
        [
            Now("require", Word("none", "module-signature", "manifest-signature", "both"), "none"),
            Now("certificates", AbsolutePath(), "/etc/livepatchd/keys.d"),
            Now("owner", UserName, "root"),
        ])),
        new("metrics", new Schema.Map(
        [
            Now("listen", LoopbackOrOff, "127.0.0.1:9817"),
            Now("unix-socket", AbsolutePath(MaxSocketPath), "/run/livepatchd/metrics.sock"),
        ])),
        new("placement", new Schema.Map(
        [
            Now("cpu", ScalarRules.CpuChoice, "auto"),
            Now("nice", Whole(-20, 19), "10"),
        ])),
    ]);

    private static Schema Directory => new Schema.Map(
    [
        new("path", new Schema.Scalar(AbsolutePath())) { Required = true },
        new("read-only", new Schema.Scalar(ScalarRules.Boolean)),
        new("grace", new Schema.Scalar(Duration("0s", "10m"))),
    ]);

    private static Schema Window => new Schema.Map(
    [
        new("days", new Schema.List(new Schema.Scalar(Word("mon", "tue", "wed", "thu", "fri", "sat", "sun")), 1, 7)),
        new("start", new Schema.Scalar(TimeOfDay)) { Required = true },
        new("length", new Schema.Scalar(Duration("1m", "7d"))) { Required = true },
        new("timezone", new Schema.Scalar(TimeZoneName)),
    ]);

    private static SchemaKey Now(string name, ScalarRule rule, string value) => new(name, new Schema.Scalar(rule), value);

    /// <summary>Part of the contract, checked in full, not acted on by this version.</summary>
    internal static SchemaKey Later(string name, ScalarRule rule) => new(name, new Schema.Scalar(rule)) { InForce = false };
}
