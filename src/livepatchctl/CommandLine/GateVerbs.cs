// The verbs by which people and programs close the gates themselves.
using System.CommandLine;
using System.Globalization;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.CommandLine;

internal static class GateVerbs
{
    private static readonly string[] TimeForms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy-MM-dd", "HH:mm"];

    public static Command Hold(Terminal terminal)
    {
        var why = new Argument<string>("WHY") { Description = "The reason, for whoever asks why nothing happens" };
        var span = CommandTree.SpanOption("--for", "End the hold after this time: 30m, 2h, 7d");
        var until = UntilOption();
        var command = new Command("hold", "Change nothing until unhold; outlives restarts and reboots") { why, span, until };
        command.Validators.Add(result =>
        {
            if (result.GetResult(span) is not null && result.GetResult(until) is not null)
                result.AddError("--for excludes --until");
            if (string.IsNullOrWhiteSpace(result.GetValue(why)))
                result.AddError("WHY must not be empty");
        });
        command.SetAction(parsed => HoldCommand.Hold(
            CommandTree.SessionOf(parsed, terminal), new HoldOptions(parsed.GetRequiredValue(why), parsed.GetValue(span), parsed.GetValue(until))));
        return command;
    }

    public static Command Unhold(Terminal terminal)
    {
        var command = new Command("unhold", "Take the hold back");
        command.SetAction(parsed => HoldCommand.Unhold(CommandTree.SessionOf(parsed, terminal)));
        return command;
    }

    public static Command Inhibit(Terminal terminal)
    {
        var why = new Option<string>("--why") { Description = "The reason", Required = true, HelpName = "WHY" };
        var who = new Option<string>("--who") { Description = "Who asks; the command by default", HelpName = "WHO" };
        var rest = new Argument<string[]>("COMMAND") { Description = "After --: the program and its arguments", Arity = ArgumentArity.OneOrMore };
        var command = new Command("inhibit", "Run a command, and change nothing before it has ended") { why, who, rest };
        command.SetAction(parsed => InhibitCommand.Run(
            CommandTree.SessionOf(parsed, terminal), parsed.GetValue(who) ?? "", parsed.GetRequiredValue(why), parsed.GetRequiredValue(rest)));
        return command;
    }

    private static Option<DateTimeOffset?> UntilOption() => new("--until")
    {
        Description = "End the hold then: 18:30, \"2026-03-01 06:00\" or RFC 3339",
        HelpName = "TIME",
        CustomParser = static result =>
        {
            var text = result.Tokens[0].Value;
            // A time of day without a date is the next one.
            if (DateTimeOffset.TryParseExact(text, TimeForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var time))
                return text.Length == "HH:mm".Length && time <= TimeProvider.System.GetUtcNow() ? new DateTimeOffset(time.DateTime.AddDays(1)) : time;
            result.AddError($"'{text}' is not a time like 18:30 or 2026-03-01 06:00");
            return null;
        },
    };
}
