// `--version`: the program's name and version.
using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;

namespace LivePatchd.Ctl.CommandLine;

internal sealed class VersionAction : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var version = typeof(VersionAction).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        parseResult.InvocationConfiguration.Output.WriteLine($"livepatchctl {version}");
        return ExitCode.Ok;
    }
}
