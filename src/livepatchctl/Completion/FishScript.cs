// The completion script for fish: one line for each thing to offer, with the condition under which it is offered.
using System.Text;

namespace LivePatchd.Ctl.Completion;

internal static class FishScript
{
    private const string Head = """
        # fish completion of livepatchctl; written by `livepatchctl completion fish`.


        """;

    private static readonly string Functions = $$"""

        # The verbs typed so far are $argv[1], and where $argv[2] is given, so many arguments stand after them.
        function __livepatchctl_at
            set -l path
            set -l count 0
            set -l is_value no
            for word in (commandline -opc)[2..]
                if test $is_value = yes
                    set is_value no
                    continue
                end
                switch $word
                    case --
                        return 1
                    case '-*'
                        contains -- (string trim -- "$path $word") $__livepatchctl_values; and set is_value yes
                    case '*'
                        set -l longer (string trim -- "$path $word")
                        if test $count -eq 0; and contains -- $longer $__livepatchctl_paths
                            set path $longer
                        else
                            set count (math $count + 1)
                        end
                end
            end
            test "$path" = "$argv[1]"; or return 1
            test (count $argv) -eq 1; or test $count -eq $argv[2]
        end

        # The verb is $argv[1], and "--" has been typed.
        function __livepatchctl_after_dashes
            set -l words (commandline -opc)
            contains -- $argv[1] $words; and contains -- -- $words
        end

        function __livepatchctl_patches
            livepatchctl {{CompletionScript.NamesVerb}} 2>/dev/null
        end

        function __livepatchctl_files
            __fish_complete_path (commandline -ct) | string match -r '^.*(?:/|\.ko(?:\.xz|\.zst|\.gz)?)(?:\t.*)?$'
        end

        # What would be offered if the program after "--" stood alone.
        function __livepatchctl_program
            set -l words (commandline -opc)
            set -l rest $words[(math (contains -i -- -- $words) + 1)..]
            complete -C (string join ' ' -- (string escape -- $rest) (commandline -ct | string collect))
        end

        complete -c livepatchctl -f

        """;

    public static string Of(CompletionCommand root)
    {
        var text = new StringBuilder(Head);
        text.Append($"set -g __livepatchctl_paths {string.Join(' ', root.All.Skip(1).Select(static c => CompletionScript.Quote(c.Path)))}\n");
        text.Append($"set -g __livepatchctl_values {string.Join(' ', root.All.SelectMany(Values).Select(CompletionScript.Quote))}\n");
        text.Append(Functions);
        foreach (var command in root.All)
        {
            foreach (var verb in command.Verbs)
                Offer(text, $"__livepatchctl_at {CompletionScript.Quote(command.Path)} 0", $"-a {verb.Name}", verb.Description);
            foreach (var option in command.Offered)
                Offer(text, $"__livepatchctl_at {CompletionScript.Quote(command.Path)}", Names(option), option.Description);
            for (var i = 0; i < command.Arguments.Length; i++)
                Offer(text, command, i);
        }
        return text.ToString();
    }

    private static IEnumerable<string> Values(CompletionCommand command) =>
        command.Options.Where(static o => o.Value is not null).SelectMany(o => o.Names.Select(n => $"{command.Path} {n}".Trim()));

    private static string Names(CompletionOption option)
    {
        var names = string.Join(' ', option.Names.Select(static n => n.StartsWith("--", StringComparison.Ordinal) ? $"-l {n[2..]}" : $"-s {n[1..]}"));
        return option.Value is not { } value ? names
            : value.Choices.IsEmpty ? $"{names} -x"
            : $"{names} -x -a {CompletionScript.Quote(string.Join(' ', value.Choices))}";
    }

    private static void Offer(StringBuilder text, CompletionCommand command, int index)
    {
        var argument = command.Arguments[index];
        var here = $"__livepatchctl_at {CompletionScript.Quote(command.Path)}{(argument.Kind is CompletionKind.Patches ? "" : $" {index}")}";
        switch (argument.Kind)
        {
            case CompletionKind.Choice:
                Offer(text, here, $"-a {CompletionScript.Quote(string.Join(' ', argument.Choices))}", "");
                break;
            case CompletionKind.Program:
                Offer(text, $"__livepatchctl_after_dashes {command.Name}", "-a '(__livepatchctl_program)'", "");
                break;
        }
        if (argument.Kind is CompletionKind.Patch or CompletionKind.Patches or CompletionKind.PatchOrFile)
            Offer(text, here, "-a '(__livepatchctl_patches)'", "patch");
        if (argument.Kind is CompletionKind.File or CompletionKind.PatchOrFile)
            Offer(text, here, "-a '(__livepatchctl_files)'", "");
    }

    private static void Offer(StringBuilder text, string condition, string what, string description) => text.Append(
        $"complete -c livepatchctl -n {QuoteCondition(condition)} {what}{(description.Length > 0 ? $" -d {CompletionScript.QuoteForFish(description)}" : "")}\n");

    private static string QuoteCondition(string condition) => $"\"{condition}\"";
}
