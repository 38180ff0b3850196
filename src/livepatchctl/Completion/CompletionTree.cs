// What a shell can complete, as plain data taken from the tree of commands: a new verb or option needs nothing here.
using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Completions;

namespace LivePatchd.Ctl.Completion;

internal enum CompletionKind
{
    /// <summary>Words of one's own, which nothing can complete.</summary>
    Text,
    Choice,
    Patch,

    /// <summary>Any number of patches.</summary>
    Patches,
    File,
    PatchOrFile,

    /// <summary>Another program with its arguments.</summary>
    Program,
}

/// <param name="Choices">Empty unless the kind is Choice.</param>
internal sealed record CompletionValue(string Name, CompletionKind Kind, ImmutableArray<string> Choices);

/// <param name="Value">Null for an option that takes none.</param>
/// <param name="IsHidden">Understood and never offered.</param>
internal sealed record CompletionOption(ImmutableArray<string> Names, string Description, CompletionValue? Value, bool IsHidden);

/// <param name="Path">The verbs that lead here, with a space between them; empty for the program itself.</param>
/// <param name="Options">With those that it has from the commands above it.</param>
internal sealed record CompletionCommand(
    string Path, string Description, ImmutableArray<CompletionOption> Options, ImmutableArray<CompletionValue> Arguments, ImmutableArray<CompletionCommand> Verbs)
{
    public string Name => Path[(Path.LastIndexOf(' ') + 1)..];

    public IEnumerable<CompletionOption> Offered => Options.Where(static o => !o.IsHidden);

    /// <summary>This command and all below it.</summary>
    public IEnumerable<CompletionCommand> All => Verbs.SelectMany(static v => v.All).Prepend(this);
}

internal static class CompletionTree
{
    public static readonly ImmutableArray<string> ModuleSuffixes = [".ko", ".ko.xz", ".ko.zst", ".ko.gz"];

    public static CompletionCommand Of(Command root) => Of(root, "", []);

    private static CompletionCommand Of(Command command, string path, ImmutableArray<CompletionOption> inherited)
    {
        // Those of the library have no say in whether they are inherited that would help here: help is asked for everywhere.
        var passedOn = inherited.AddRange(command.Options.Where(static o => o.Recursive).Select(Of));
        return new CompletionCommand(
            path,
            FirstLine(command.Description),
            [.. command.Options.Select(Of).Concat(inherited).DistinctBy(static o => o.Names[0])],
            [.. command.Arguments.Where(static a => !a.Hidden).Select(static a => Value(a.Name, a))],
            [.. command.Subcommands.Where(static c => !c.Hidden).Select(c => Of(c, path.Length == 0 ? c.Name : $"{path} {c.Name}", passedOn))]);
    }

    private static CompletionOption Of(Option option) => new(
        [option.Name, .. option.Aliases.Order(StringComparer.Ordinal)],
        FirstLine(option.Description),
        option.Arity.MinimumNumberOfValues > 0 ? Value(option.HelpName ?? option.Name, option) : null,
        option.Hidden);

    // The name of an argument says what it is: that is what people read in the help, too. The FILE of an option is no module.
    private static CompletionValue Value(string name, Symbol symbol)
    {
        var choices = symbol.GetCompletions(CompletionContext.Empty).Select(static c => c.Label).ToImmutableArray();
        return new CompletionValue(
            name,
            !choices.IsEmpty ? CompletionKind.Choice : symbol is not Argument ? CompletionKind.Text : name switch
            {
                "NAME" => symbol is Argument { Arity.MaximumNumberOfValues: > 1 } ? CompletionKind.Patches : CompletionKind.Patch,
                "FILE" => CompletionKind.File,
                "NAME|FILE" => CompletionKind.PatchOrFile,
                "COMMAND" => CompletionKind.Program,
                _ => CompletionKind.Text,
            },
            choices);
    }

    private static string FirstLine(string? text) => (text ?? "").Split('\n')[0];
}
