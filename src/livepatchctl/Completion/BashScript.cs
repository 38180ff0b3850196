// The completion script for bash: a table of the commands, and one function that walks the words typed so far.
using System.Text;

namespace LivePatchd.Ctl.Completion;

internal static class BashScript
{
    private const string Head = """
        # bash completion of livepatchctl; written by `livepatchctl completion bash`.

        # Sets what can follow the verbs of $1. An option with a value ends in "=", and its choices come after that.
        _livepatchctl_at() {
            verbs= options= values= arguments=
            case $1 in

        """;

    private static readonly string Tail = $$"""
            esac
        }

        _livepatchctl_words() {
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$1" -- "$cur")
        }

        _livepatchctl_patches() {
            local names
            mapfile -t names < <(livepatchctl {{CompletionScript.NamesVerb}} 2>/dev/null)
            _livepatchctl_words "${names[*]}"
        }

        _livepatchctl_files() {
            local suffix
            compopt -o filenames 2>/dev/null
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(
                compgen -d -- "$cur"
                for suffix in {{string.Join(' ', CompletionTree.ModuleSuffixes)}}; do compgen -f -X "!*$suffix" -- "$cur"; done
            )
        }

        # A program and then its arguments.
        _livepatchctl_program() {
            if [ "$count" -eq 0 ]; then
                mapfile -t COMPREPLY < <(compgen -c -- "$cur")
            else
                compopt -o filenames 2>/dev/null
                mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            fi
        }

        _livepatchctl() {
            local IFS=$' \t\n' cur=${COMP_WORDS[COMP_CWORD]} at= count=0 ended= option= word i kind
            local verbs options values arguments
            COMPREPLY=()
            _livepatchctl_at ''
            for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                if [ "$word" = = ]; then
                    i=$((i + 1)) # bash makes three words of --for=2h
                elif [ -z "$ended" ] && [ "$word" = -- ]; then
                    ended=yes
                elif [ -z "$ended" ] && [[ $word == -* ]]; then
                    if [[ " $values" == *" $word="* ]]; then
                        option=$word
                        [ "${COMP_WORDS[i + 1]-}" = = ] || i=$((i + 1))
                    fi
                elif [ -z "$ended" ] && [[ " $verbs " == *" $word "* ]]; then
                    at=${at:+$at }$word
                    _livepatchctl_at "$at"
                else
                    count=$((count + 1))
                fi
            done
            if [ "$i" -gt "$COMP_CWORD" ] || [ "$cur" = = ]; then
                [ "$cur" != = ] || cur=
                for word in $values; do
                    [ "${word%%=*}" != "$option" ] || _livepatchctl_words "$(tr , ' ' <<<"${word#*=}")"
                done
                return
            fi
            if [ -z "$ended" ] && [[ $cur == -* ]]; then
                _livepatchctl_words "$options"
                return
            fi
            [ -z "$verbs" ] || _livepatchctl_words "$verbs"
            set -- $arguments
            while [ "$#" -gt 1 ] && [ "$count" -gt 0 ]; do
                shift
                count=$((count - 1))
            done
            kind=${1-}
            if [ "$kind" = program ]; then
                _livepatchctl_program
            elif [ "$kind" = patches ]; then
                _livepatchctl_patches
            elif [ "$count" -eq 0 ]; then
                case $kind in
                    patch) _livepatchctl_patches ;;
                    file) _livepatchctl_files ;;
                    patch-or-file) _livepatchctl_patches; _livepatchctl_files ;;
                    choice=*) _livepatchctl_words "$(tr , ' ' <<<"${kind#*=}")" ;;
                esac
            fi
        }

        complete -F _livepatchctl livepatchctl

        """;

    public static string Of(CompletionCommand root)
    {
        var text = new StringBuilder(Head);
        foreach (var command in root.All)
            text.Append($"        '{command.Path}')\n{Row(command)}            ;;\n");
        return text.Append(Tail).ToString();
    }

    private static string Row(CompletionCommand command) =>
        Words("verbs", command.Verbs.Select(static v => v.Name))
        + Words("options", command.Offered.SelectMany(static o => o.Names))
        + Words("values", command.Options.Where(static o => o.Value is not null).SelectMany(static o => o.Names.Select(n => $"{n}={string.Join(',', o.Value!.Choices)}")))
        + Words("arguments", command.Arguments.Select(Kind));

    private static string Words(string name, IEnumerable<string> words) =>
        string.Join(' ', words) is { Length: > 0 } value ? $"            {name}='{value}'\n" : "";

    private static string Kind(CompletionValue argument) => argument.Kind switch
    {
        CompletionKind.Choice => $"choice={string.Join(',', argument.Choices)}",
        CompletionKind.Patch => "patch",
        CompletionKind.Patches => "patches",
        CompletionKind.File => "file",
        CompletionKind.PatchOrFile => "patch-or-file",
        CompletionKind.Program => "program",
        _ => "text",
    };
}
