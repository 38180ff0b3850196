// `config cat|check`: the configuration as the installed daemon reads it, running or not.
using System.CommandLine;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.CommandLine;

internal static class ConfigVerb
{
    public static Command Config(Option<bool> json, Terminal terminal)
    {
        var action = new Argument<string>("cat|check") { Description = "cat: print every key and where it was set; check: print every error" };
        action.CompletionSources.Add([.. ConfigCommand.Flags.Keys]);
        action.Validators.Add(static result =>
        {
            if (result.Tokens is [var word] && !ConfigCommand.Flags.ContainsKey(word.Value))
                result.AddError($"'{word.Value}' is not cat or check");
        });
        var root = new Option<string?>("--root") { Hidden = true, HelpName = "DIR" };
        var program = new Option<string>("--program") { Hidden = true, HelpName = "FILE", DefaultValueFactory = static _ => ConfigCommand.InstalledDaemon };
        var command = new Command("config", "Show the configuration as the daemon reads it, or check it") { action, json, root, program };
        command.SetAction(parsed => ConfigCommand.Run(
            CommandTree.SessionOf(parsed, terminal), parsed.GetRequiredValue(action), parsed.GetValue(json), parsed.GetRequiredValue(program), parsed.GetValue(root)));
        return command;
    }
}
