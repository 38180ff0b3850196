// The completion script for zsh: one function a command, made of specifications for _arguments.
using System.Text;

namespace LivePatchd.Ctl.Completion;

internal static class ZshScript
{
    private static readonly string Head = $$"""
        #compdef livepatchctl
        # zsh completion of livepatchctl; written by `livepatchctl completion zsh`.

        _livepatchctl_patches() {
            local -a names
            names=(${(f)"$(_call_program patches livepatchctl {{CompletionScript.NamesVerb}} 2>/dev/null)"})
            _wanted patches expl patch compadd -a names
        }

        _livepatchctl_files() {
            _files -g '*.ko(|.xz|.zst|.gz)'
        }

        _livepatchctl_patches_or_files() {
            _alternative 'patches:patch:_livepatchctl_patches' 'files:file:_livepatchctl_files'
        }


        """;

    private const string Tail = """
        # Loaded from a directory of functions it is called at once; read by `source` it announces itself.
        if [ "$funcstack[1]" = _livepatchctl ]; then
            _livepatchctl "$@"
        else
            compdef _livepatchctl livepatchctl
        fi

        """;

    public static string Of(CompletionCommand root)
    {
        var text = new StringBuilder(Head);
        // Those below before those above, so that the one that zsh calls is the last.
        foreach (var command in root.All.Reverse())
            text.Append(command.Verbs.IsEmpty ? Leaf(command) : Branch(command)).Append('\n');
        return text.Append(Tail).ToString();
    }

    private static string Leaf(CompletionCommand command) =>
        $"{Function(command)}() {{\n    _arguments -S :{Lines(command.Offered.Select(Option).Concat(command.Arguments.SelectMany(Argument)))}\n}}\n";

    private static string Branch(CompletionCommand command)
    {
        var verbs = string.Concat(command.Verbs.Select(static v => $"            {Quote($"{v.Name}:{Escape(v.Description)}")}\n"));
        var calls = string.Concat(command.Verbs.Select(static v => $"            ({v.Name}) {Function(v)} && ret=0 ;;\n"));
        return $$"""
            {{Function(command)}}() {
                local curcontext=$curcontext state state_descr line ret=1
                local -a verbs
                typeset -A opt_args
                _arguments -C -S :{{Lines(command.Offered.Select(Option).Concat(["'1: :->verb'", "'*:: :->rest'"]))}} && ret=0
                case $state in
                    (verb)
                        verbs=(
            {{verbs}}            )
                        _describe -t commands command verbs && ret=0
                        ;;
                    (rest)
                        curcontext=${curcontext%:*}-$words[1]:
                        case $words[1] in
            {{calls}}            esac
                        ;;
                esac
                return ret
            }

            """;
    }

    private static string Function(CompletionCommand command) =>
        command.Path.Length == 0 ? "_livepatchctl" : "_livepatchctl_verb_" + command.Path.Replace(' ', '_');

    private static string Lines(IEnumerable<string> specifications) => string.Concat(specifications.Select(static s => $" \\\n        {s}"));

    private static string Option(CompletionOption option)
    {
        var value = option.Value is { } v ? $":{Escape(v.Name)}:{Action(v)}" : "";
        // With "=" the value may come in the same word or in the next.
        var text = (option.Value is null ? "" : "=") + Quote($"[{Escape(option.Description)}]{value}");
        return option.Names.Length == 1
            ? option.Names[0] + text
            : $"'({string.Join(' ', option.Names)})'{{{string.Join(',', option.Names)}}}{text}"; // zsh makes one specification of each name
    }

    private static IEnumerable<string> Argument(CompletionValue argument, int index) => argument.Kind is CompletionKind.Program
        ? [$"'(-){index + 1}:{Escape(argument.Name)}:_command_names -e'", "'*::arguments:_normal'"]
        : [Quote($"{(argument.Kind is CompletionKind.Patches ? "*" : $"{index + 1}")}:{Escape(argument.Name)}:{Action(argument)}")];

    private static string Action(CompletionValue value) => value.Kind switch
    {
        CompletionKind.Choice => $"({string.Join(' ', value.Choices)})",
        CompletionKind.Patch or CompletionKind.Patches => "_livepatchctl_patches",
        CompletionKind.File => "_livepatchctl_files",
        CompletionKind.PatchOrFile => "_livepatchctl_patches_or_files",
        _ => " ",
    };

    private static string Escape(string text)
    {
        var escaped = new StringBuilder();
        foreach (var c in text)
            escaped.Append(c is ':' or '[' or ']' or '\\' ? $"\\{c}" : c.ToString());
        return escaped.ToString();
    }

    private static string Quote(string text) => CompletionScript.Quote(text);
}
