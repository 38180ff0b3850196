// The verbs for shells: a completion script made of the tree itself, and the hidden one that the script calls.
using System.CommandLine;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Completion;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.CommandLine;

internal static class CompletionVerbs
{
    /// <param name="root">Read when a script is printed, so that verbs added later are in it.</param>
    public static Command Completion(RootCommand root, Terminal terminal)
    {
        var shell = new Argument<string>("SHELL") { Description = "The shell to print it for" };
        shell.CompletionSources.Add([.. CompletionScript.Shells]);
        // The library's own refusal is a list of several lines.
        shell.Validators.Add(static result =>
        {
            if (result.Tokens is [var word] && !CompletionScript.Shells.Contains(word.Value))
                result.AddError($"'{word.Value}' is not one of {string.Join(", ", CompletionScript.Shells)}");
        });
        var command = new Command("completion", "Print a completion script for a shell") { shell };
        command.SetAction(parsed =>
        {
            terminal.Out.Write(CompletionScript.Of(parsed.GetRequiredValue(shell), CompletionTree.Of(root)));
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command PatchNames(Terminal terminal)
    {
        var command = new Command(CompletionScript.NamesVerb, "Print the names of all patches") { Hidden = true };
        command.SetAction(parsed => PatchNamesCommand.Run(CommandTree.SessionOf(parsed, terminal)));
        return command;
    }
}
