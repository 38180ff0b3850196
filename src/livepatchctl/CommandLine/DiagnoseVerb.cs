// The verb that fetches the bundle for a report of a fault.
using System.CommandLine;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.CommandLine;

internal static class DiagnoseVerb
{
    public static Command Diagnose(Option<bool> json, Terminal terminal)
    {
        var output = new Option<string?>("--output", "-o") { Description = "Write to a new file that only its owner can read", HelpName = "FILE" };
        var command = new Command("diagnose", "Collect what a report of a fault needs, secrets masked, as one JSON document") { output, json };
        command.SetAction(parsed => DiagnoseCommand.Run(CommandTree.SessionOf(parsed, terminal), parsed.GetValue(output)));
        return command;
    }
}
