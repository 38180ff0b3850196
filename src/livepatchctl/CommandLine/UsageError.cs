// A command line that makes no sense: one line on standard error, exit code 2.
using System.CommandLine;
using System.CommandLine.Parsing;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.CommandLine;

internal static class UsageError
{
    public static int Tell(Terminal terminal, ParseResult parsed)
    {
        var verb = parsed.CommandResult.Command is RootCommand ? "" : $" {parsed.CommandResult.Command.Name}";
        var why = TextOf.WithoutStop(Message(parsed));
        terminal.Error.WriteLine(TextOf.Clean($"livepatchctl:{verb}{(verb.Length > 0 ? ":" : "")} {why}; livepatchctl{verb} --help"));
        return ExitCode.Usage;
    }

    // The library also complains that a verb is missing when it was misspelt; the first word says more.
    private static string Message(ParseResult parsed) => parsed switch
    {
        { CommandResult.Command: RootCommand, UnmatchedTokens: [var word, ..] } when !word.StartsWith('-') => $"unknown command '{word}'",
        { UnmatchedTokens: [var word, ..] } => $"'{word}' does not belong here",
        { CommandResult.Command: RootCommand, Tokens: var tokens } when !tokens.Any(static t => t.Type == TokenType.Option) => "which command?",
        _ => parsed.Errors[0].Message,
    };
}
