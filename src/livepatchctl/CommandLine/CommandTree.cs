// Every verb with its arguments and options, and how a command line becomes a call of one of them.
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using LivePatchd.Bus;
using LivePatchd.Ctl.Commands;
using LivePatchd.Ctl.Kpatch;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.CommandLine;

internal static class CommandTree
{
    private const string AddressVariable = "LIVEPATCHD_BUS_ADDRESS";

    private const string Description = """
        Shows and steers the livepatches that livepatchd keeps on this host.

        Exit codes: 0 ok, 1 failed, 2 usage, 3 not applied, 4 no such patch, 5 stalled and reversed, 6 rejected or quarantined, 69 daemon unreachable, 75 held or still under way: try later, 77 not authorised.
        """;

    private static readonly Option<string> Address = new("--address") { Hidden = true, Recursive = true, HelpName = "ADDR" };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one JSON document (schema 1)" };
    private static readonly Argument<string> Name = new("NAME") { Description = "Name of the patch" };
    private static readonly Argument<string> File = new("FILE") { Description = "A livepatch module: NAME.ko, NAME.ko.xz, NAME.ko.zst or NAME.ko.gz" };

    public static int Run(IReadOnlyList<string> args, Terminal terminal)
    {
        // Its usage text, its options and its exit codes are another program's.
        if (args is [KpatchCommand.Verb, ..])
            return KpatchCommand.Run([.. args.Skip(1)], terminal);
        var parsed = Root(terminal).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            return UsageError.Tell(terminal, parsed);
        return parsed.Invoke(new InvocationConfiguration
        {
            Output = terminal.Out,
            Error = terminal.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        });
    }

    internal static RootCommand Root(Terminal terminal)
    {
        var root = new RootCommand(Description) { Address };
        Standard(root, terminal);
        root.Add(Reading("status", "Show the daemon, the running transition and what waits", terminal, StatusCommand.Run));
        root.Add(Reading("list", "List every patch and its state", terminal, ListCommand.Run));
        root.Add(Show(terminal));
        root.Add(History(terminal));
        root.Add(Plan(terminal));
        root.Add(Apply(terminal));
        root.Add(Revert(terminal));
        root.Add(Verb("confirm", "Trust a patch that is soaking from now on", Name, terminal, TrustCommand.Confirm));
        root.Add(Release(terminal));
        root.Add(Verb("stage", "Put a file into the daemon's directory", File, terminal, StageCommand.Stage));
        root.Add(Verb("unstage", "Take a patch out of the directory and out of the kernel", Name, terminal, StageCommand.Unstage));
        root.Add(Reading("gates", "Show every gate, its figure and marks, and who waits", terminal, GatesCommand.Run));
        root.Add(TransitionVerbs.Blocking(Json, terminal));
        root.Add(TransitionVerbs.Force(Name, terminal));
        root.Add(GateVerbs.Hold(terminal));
        root.Add(GateVerbs.Unhold(terminal));
        root.Add(GateVerbs.Inhibit(terminal));
        root.Add(Inspect(terminal));
        root.Add(Watch(terminal));
        root.Add(QuestionVerbs.Check(Json, terminal));
        root.Add(QuestionVerbs.Readiness(Json, terminal));
        root.Add(ConfigVerb.Config(Json, terminal));
        root.Add(Reload(terminal));
        root.Add(DiagnoseVerb.Diagnose(Json, terminal));
        root.Add(CompletionVerbs.Completion(root, terminal));
        root.Add(CompletionVerbs.PatchNames(terminal));
        return root;
    }

    // The library's own help option answers to /h and /? too, which are file names here.
    private static void Standard(RootCommand root, Terminal terminal)
    {
        foreach (var option in root.Options.Where(static o => o is HelpOption or VersionOption).ToList())
            root.Options.Remove(option);
        root.Options.Add(new HelpOption("--help", "-h") { Action = new HelpAction { MaxWidth = terminal.Columns } });
        root.Options.Add(new VersionOption { Action = new VersionAction() });
    }

    private static Argument<string> ApplyArgument() =>
        new("NAME|FILE") { Description = "Name of a patch, or a file (anything with a dot or a slash)" };

    private static Command Reading(string verb, string description, Terminal terminal, Func<Session, bool, int> run)
    {
        var command = new Command(verb, description) { Json };
        command.SetAction(parsed => run(SessionOf(parsed, terminal), parsed.GetValue(Json)));
        return command;
    }

    private static Command Verb(string verb, string description, Argument<string> argument, Terminal terminal, Func<Session, string, int> run)
    {
        var command = new Command(verb, description) { argument };
        command.SetAction(parsed => run(SessionOf(parsed, terminal), parsed.GetRequiredValue(argument)));
        return command;
    }

    private static Command JobVerb(string verb, string description, Argument argument, Terminal terminal, Func<Session, WaitOptions, ParseResult, int> run)
    {
        var wait = new Option<bool>("--wait") { Description = "Wait for the end (the default)" };
        var noWait = new Option<bool>("--no-wait") { Description = "Return as soon as the job is accepted" };
        var timeout = TimeoutOption("Give up the wait, not the job, after this time: 30s, 5m, 1h30m");
        var command = new Command(verb, description) { argument, wait, noWait, timeout };
        command.Validators.Add(result =>
        {
            if (result.GetValue(noWait) && (result.GetValue(wait) || result.GetResult(timeout) is not null))
                result.AddError("--no-wait excludes --wait and --timeout");
        });
        command.SetAction(parsed => run(
            SessionOf(parsed, terminal),
            new WaitOptions(!parsed.GetValue(noWait), parsed.GetValue(timeout)),
            parsed));
        return command;
    }

    private static Command Apply(Terminal terminal)
    {
        var overrideGates = OverrideGatesOption();
        var confirm = new Option<bool>("--confirm") { Description = "Take it out again unless it is confirmed before its soak ends" };
        var deadline = SpanOption("--deadline", "Let closed gates hold it no longer than this: 30m, 2h, 1d");
        var downgrade = new Option<bool>("--downgrade") { Description = "Although a newer patch of its stream was active here" };
        var argument = ApplyArgument();
        var command = JobVerb(
            "apply", "Apply a patch, or stage a file and apply it", argument, terminal,
            (session, options, parsed) => JobCommand.Apply(
                session, parsed.GetRequiredValue(argument), options, new ApplyOptions(parsed.GetValue(overrideGates), parsed.GetValue(confirm), parsed.GetValue(deadline), parsed.GetValue(downgrade))));
        command.Add(overrideGates);
        command.Add(confirm);
        command.Add(deadline);
        command.Add(downgrade);
        return command;
    }

    private static Command Revert(Terminal terminal)
    {
        var overrideGates = OverrideGatesOption();
        var andSuperseded = new Option<bool>("--and-superseded") { Description = "Also keep out the patches that it replaced" };
        var all = new Option<bool>("--all") { Description = "Every patch that livepatchd loaded, or would load" };
        var name = new Argument<string?>("NAME") { Description = "Name of the patch", Arity = ArgumentArity.ZeroOrOne };
        var command = JobVerb(
            "revert", "Take a patch out of the kernel and keep its file", name, terminal,
            (session, options, parsed) => parsed.GetValue(all)
                ? RevertAllCommand.Run(session, options, parsed.GetValue(overrideGates))
                : JobCommand.Revert(session, parsed.GetValue(name)!, options, parsed.GetValue(overrideGates), parsed.GetValue(andSuperseded)));
        command.Validators.Add(result => NamedOrAll(result, "revert: NAME is missing; name the patch, or give --all", name, all));
        command.Add(overrideGates);
        command.Add(andSuperseded);
        command.Add(all);
        return command;
    }

    private static void NamedOrAll(CommandResult result, string missing, Argument name, Option<bool> all)
    {
        var given = result.GetResult(name)?.Tokens.Count > 0;
        if (given && result.GetValue(all))
            result.AddError("--all excludes NAME");
        else if (!given && !result.GetValue(all))
            result.AddError(missing);
    }

    private static Command Release(Terminal terminal)
    {
        var names = new Argument<string[]>("NAME") { Description = "Names of the patches", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "Every patch that is quarantined or suspected" };
        var command = new Command("release", "Let patches out of quarantine, suspected ones included") { names, all };
        command.Validators.Add(result => NamedOrAll(result, "release: NAME is missing; name the patches, or give --all", names, all));
        command.SetAction(parsed => parsed.GetValue(all)
            ? TrustCommand.ReleaseAll(SessionOf(parsed, terminal))
            : TrustCommand.Release(SessionOf(parsed, terminal), parsed.GetValue(names) ?? []));
        return command;
    }

    private static Option<bool> OverrideGatesOption() => new("--override-gates") { Description = "Now, whatever the gates say" };

    private static Command Show(Terminal terminal)
    {
        var command = new Command("show", "Show everything known about one patch") { Name, Json };
        command.SetAction(parsed => ShowCommand.Run(SessionOf(parsed, terminal), parsed.GetRequiredValue(Name), parsed.GetValue(Json)));
        return command;
    }

    private static Command History(Terminal terminal)
    {
        var name = new Argument<string?>("NAME") { Description = "Name of a patch; without it, all of them", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("history", "Show past operations and what they did to the machine") { name, Json };
        command.SetAction(parsed => HistoryCommand.Run(SessionOf(parsed, terminal), parsed.GetValue(name), parsed.GetValue(Json)));
        return command;
    }

    private static Command Plan(Terminal terminal)
    {
        var file = new Argument<string?>("FILE") { Description = "A livepatch module: what would become of it; without it, what the daemon does next", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("plan", "Show what the daemon does next, or would do with a file") { file, Json };
        command.SetAction(parsed => PlanCommand.Run(SessionOf(parsed, terminal), parsed.GetValue(file), parsed.GetValue(Json)));
        return command;
    }

    private static Command Inspect(Terminal terminal)
    {
        var file = new Argument<string>("FILE") { Description = "A kernel module, also compressed with xz, zstd or gzip" };
        var command = new Command("inspect", "Show all that a module file says about itself; needs no daemon") { file, Json };
        command.SetAction(parsed => InspectCommand.Run(SessionOf(parsed, terminal), parsed.GetRequiredValue(file), parsed.GetValue(Json)));
        return command;
    }

    private static Command Watch(Terminal terminal)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object a line for each change" };
        var untilIdle = new Option<bool>("--until-idle") { Description = "End when nothing has been under way for a second" };
        var timeout = TimeoutOption("End after this time; with --until-idle that is exit code 75");
        var command = new Command("watch", "Follow the patches as they change") { json, untilIdle, timeout };
        command.SetAction(parsed => WatchCommand.Run(
            SessionOf(parsed, terminal),
            new WatchOptions(parsed.GetValue(json), parsed.GetValue(untilIdle), parsed.GetValue(timeout))));
        return command;
    }

    private static Command Reload(Terminal terminal)
    {
        var command = new Command("reload", "Make the daemon read its configuration again");
        command.SetAction(parsed => ReloadCommand.Run(SessionOf(parsed, terminal)));
        return command;
    }

    private static Option<TimeSpan?> TimeoutOption(string description) => SpanOption("--timeout", description);

    internal static Option<TimeSpan?> SpanOption(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "T",
        CustomParser = static result =>
        {
            var span = Core.Config.DurationText.TryParse(result.Tokens[0].Value);
            if (span is null)
                result.AddError($"'{result.Tokens[0].Value}' is not a time like 30s, 5m or 1h30m");
            return span;
        },
    };

    internal static Session SessionOf(ParseResult parsed, Terminal terminal) => new(terminal, TimeProvider.System, AddressOf(parsed.GetValue(Address)));

    /// <param name="option">What the command line says; null when it says nothing.</param>
    internal static BusAddress AddressOf(string? option)
    {
        var address = option ?? Environment.GetEnvironmentVariable(AddressVariable);
        return string.IsNullOrEmpty(address) ? BusAddress.System : BusAddress.At(address);
    }
}
