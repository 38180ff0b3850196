// The daemon's few arguments. A library would be larger than the need: a few flags, two values.
using System.Collections.Frozen;
using LivePatchd.Bus;
using LivePatchd.Linux;

namespace LivePatchd;

internal enum Verb
{
    Run,
    CheckConfig,
    CatConfig,
    RecordEnd,
    ServeTasks,
    Version,
    Help,
}

/// <param name="Error">Null, or what is wrong with the arguments.</param>
internal sealed record CommandLine(Verb Verb, DaemonOptions Options, string? Error)
{
    /// <summary>Of the verbs that print the configuration.</summary>
    public bool Json { get; private init; }

    public const string Usage = """
        Usage: livepatchd [--root DIR] [--bus-address ADDRESS]
               livepatchd --check-config | --cat-config [--json] [--root DIR]
               livepatchd --record-end | --serve-tasks [--root DIR]
               livepatchd --version | --help

          --check-config         print every error of the configuration as file:line: key: message
          --cat-config           print every key in force and where it was set
          --json                 print that as one JSON document (schema 1)
          --record-end           note how the service ended, for its next start (ExecStopPost=)
          --serve-tasks          answer the daemon's questions about tasks on the socket that is standard input
          --root DIR             prefix of every path read; under it nothing is ever loaded
          --bus-address ADDRESS  D-Bus address to serve on instead of the system bus

        """;

    private static readonly FrozenDictionary<string, Verb> Verbs = new Dictionary<string, Verb>(StringComparer.Ordinal)
    {
        ["--check-config"] = Verb.CheckConfig,
        ["--cat-config"] = Verb.CatConfig,
        ["--record-end"] = Verb.RecordEnd,
        ["--serve-tasks"] = Verb.ServeTasks,
        ["--version"] = Verb.Version,
        ["--help"] = Verb.Help,
        ["-h"] = Verb.Help,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static CommandLine Parse(ReadOnlySpan<string> args)
    {
        var verb = Verb.Run;
        var json = false;
        var options = DaemonOptions.Host;
        for (var i = 0; i < args.Length; i++)
        {
            var (name, value) = args[i].Split('=', 2) is [var n, var v] ? (n, v) : (args[i], null);
            if (value is null && Verbs.TryGetValue(name, out var asked))
            {
                verb = asked;
                continue;
            }
            switch (name)
            {
                case "--json" when value is null:
                    json = true;
                    break;
                case "--root" or "--bus-address":
                    if (value is null && ++i < args.Length)
                        value = args[i];
                    if (string.IsNullOrEmpty(value))
                        return new(verb, options, $"{name} needs a value");
                    if (name == "--bus-address")
                        options = options with { Bus = BusAddress.At(value) };
                    else if (value.StartsWith('/'))
                        options = options with { Root = new SystemRoot(value) };
                    else
                        return new(verb, options, "--root needs an absolute path");
                    break;
                default:
                    return new(verb, options, $"unknown argument \"{args[i]}\"");
            }
        }
        if (json && verb is not (Verb.CheckConfig or Verb.CatConfig))
            return new(verb, options, "--json goes with --check-config or --cat-config");
        return new(verb, options, null) { Json = json };
    }
}
