// `livepatchctl kpatch ARGS...`: the verbs of the kpatch utility, for scripts and packages that call it; exit codes are 0 and 1, as there.
using LivePatchd.Ctl.CommandLine;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Kpatch;

internal static class KpatchCommand
{
    /// <summary>Hidden: what people type is `kpatch`, a script that calls this.</summary>
    public const string Verb = "kpatch";

    /// <summary>Of the utility whose behaviour this has: programs ask for it.</summary>
    private const string Version = "0.9.11";

    private const string RootVariable = "LIVEPATCHD_ROOT";
    private const string AllPatches = "--all";

    public static int Run(IReadOnlyList<string> arguments, Terminal terminal)
    {
        switch (arguments)
        {
            case [] or ["help" or "-h" or "--help", ..]:
                return KpatchUsage.Show(terminal);
            case ["version" or "-v" or "--version", ..]:
                terminal.Out.WriteLine(Version);
                return ExitCode.Ok;
            default:
                var host = new KpatchHost(terminal, CommandTree.AddressOf(null), Environment.GetEnvironmentVariable(RootVariable) ?? "");
                return host.Release.Length > 0 ? Run(arguments, host) : host.Die($"{KpatchHost.ReleaseFile} cannot be read");
        }
    }

    private static int Run(IReadOnlyList<string> arguments, KpatchHost host)
    {
        switch (arguments)
        {
            case ["load", AllPatches]:
                return KpatchLoad.All(host);
            case ["load", var module]:
                return KpatchLoad.One(host, module);
            case ["unload", AllPatches]:
                return KpatchUnload.All(host);
            case ["unload", var module]:
                return KpatchUnload.One(host, module);
            case ["install", ..]:
                return KpatchInstall.Run(host, [.. arguments.Skip(1)]);
            case ["uninstall", ..]:
                return KpatchUninstall.Run(host, [.. arguments.Skip(1)]);
            case ["list"]:
                return KpatchList.Run(host);
            case ["info", var module]:
                return KpatchInfo.Run(host, module);
            case ["signal"]:
                return KpatchSignal.Run(host);
            case ["load" or "unload" or "list" or "info" or "signal", ..]:
                return KpatchUsage.Show(host.Terminal);
            default:
                host.Say($"subcommand {arguments[0]} not recognized");
                return KpatchUsage.Show(host.Terminal);
        }
    }
}
