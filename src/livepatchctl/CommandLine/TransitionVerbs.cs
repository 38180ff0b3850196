// The verbs about a transition that does not end.
using System.CommandLine;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.CommandLine;

internal static class TransitionVerbs
{
    public static Command Blocking(Option<bool> json, Terminal terminal)
    {
        var verbose = new Option<bool>("--verbose", "-v") { Description = "Show each task instead of each unit" };
        var command = new Command("blocking", "Show who keeps the running transition from its end") { verbose, json };
        command.SetAction(parsed => BlockingCommand.Blocking(CommandTree.SessionOf(parsed, terminal), parsed.GetValue(verbose), parsed.GetValue(json)));
        return command;
    }

    public static Command Force(Argument<string> name, Terminal terminal)
    {
        var token = new Option<string?>("--token") { Description = "Of the report that was shown without this option", HelpName = "TOKEN" };
        var command = new Command("force", "End a transition by force; without a token, show what that means") { name, token };
        command.SetAction(parsed => BlockingCommand.Force(CommandTree.SessionOf(parsed, terminal), parsed.GetRequiredValue(name), parsed.GetValue(token)));
        return command;
    }
}
