// The verbs that answer an operator's question with an exit code: `check` and `readiness`.
using System.CommandLine;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.CommandLine;

internal static class QuestionVerbs
{
    private const string CheckDescription = "Exit 0 when every wanted patch is active, 3 pending, 4 unsupported, 6 refused";

    // 4 is taken in this verb, so what is nowhere named is 1: nothing is wrong, and nothing is proved.
    private const string CveDescription =
        "Are these fixed in the running kernel by a livepatch? Exit 0 all are, 1 nothing here can tell, 3 not fixed, 4 unsupported, 6 the patch is refused; the worst counts: 4, 6, 3, 1";

    private const string ReadinessDescription =
        "Show which fixes a reboot would lose, by installed kernel; exit 3 when some or a file is refused, 4 no such kernel";

    public static Command Check(Option<bool> json, Terminal terminal)
    {
        var cves = new Option<string[]>("--cve") { Description = CveDescription, HelpName = "CVE", AllowMultipleArgumentsPerToken = true };
        var vex = new Option<bool>("--vex") { Description = "Print an OpenVEX statement; of every CVE that patches here name, or of those of --cve" };
        var author = new Option<string?>("--author") { Description = "Who makes the statement of --vex; the operator of this host by default", HelpName = "WHO" };
        var root = Root();
        var command = new Command("check", CheckDescription) { cves, vex, author, json, root };
        command.Validators.Add(result =>
        {
            if (result.GetValue(vex) && result.GetValue(json))
                result.AddError("--vex excludes --json");
            if (result.GetResult(author) is not null && !result.GetValue(vex))
                result.AddError("--author belongs to --vex");
            // Its tokens and not its value: without any, the library throws before it tells of its own error.
            if (result.GetResult(cves)?.Tokens.Select(static t => t.Value).FirstOrDefault(static c => !IsCve(c)) is { } wrong)
                result.AddError($"'{wrong}' is not an identifier like CVE-2026-1234");
        });
        command.SetAction(parsed =>
        {
            var session = CommandTree.SessionOf(parsed, terminal);
            string[] asked = [.. (parsed.GetValue(cves) ?? []).Select(static c => c.ToUpperInvariant())];
            return asked.Length > 0 || parsed.GetValue(vex)
                ? CveCommand.Run(session, new CveQuestion(asked, parsed.GetValue(json), parsed.GetValue(vex), parsed.GetValue(author), parsed.GetRequiredValue(root)))
                : CheckCommand.Run(session, parsed.GetValue(json));
        });
        return command;
    }

    public static Command Readiness(Option<bool> json, Terminal terminal)
    {
        var kernel = new Argument<string?>("KERNEL") { Description = "A release such as 6.12.48-1-amd64; without it, every installed kernel", Arity = ArgumentArity.ZeroOrOne };
        var root = Root();
        var command = new Command("readiness", ReadinessDescription) { kernel, json, root };
        command.SetAction(parsed => ReadinessCommand.Run(
            CommandTree.SessionOf(parsed, terminal), new ReadinessQuestion(parsed.GetValue(kernel), parsed.GetValue(json), parsed.GetRequiredValue(root))));
        return command;
    }

    private static Option<string> Root() => new("--root") { Hidden = true, HelpName = "DIR", DefaultValueFactory = static _ => "" };

    // As a manifest may name it, in either case.
    private static bool IsCve(string text) =>
        text.Split('-') is [var word, { Length: 4 } year, { Length: >= 4 and <= 12 } number]
        && word.Equals("CVE", StringComparison.OrdinalIgnoreCase) && year.All(char.IsAsciiDigit) && number.All(char.IsAsciiDigit);
}
