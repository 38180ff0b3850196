// Real shells that complete a real command line: livepatchctl is on their path, its script is read, and what they offer is printed.
using LivePatchd.Ctl.Completion;

namespace LivePatchd.Ctl.Tests;

internal sealed class Shells : IDisposable
{
    // The words are the arguments, the last one is being completed.
    private const string Bash = """
        source "$SCRIPT" || exit 1
        compopt() { :; }
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _livepatchctl livepatchctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        [ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"
        """;

    private const string Fish = "source $SCRIPT; complete -C \"$argv\"";

    // On a terminal of its own, with a compadd that tells what it is given before it does its work.
    private const string Zsh = """
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell "PS1=; autoload -U compinit; compinit -u -d $HOME/functions; source $SCRIPT"
        zpty -w shell "compadd() { local -a hits; case \" \$* \" in (*\\ -[OAD]\\ *) builtin compadd \"\$@\"; return ;; esac; builtin compadd -O hits \"\$@\"; (( \$#hits )) && print -rl -- \$hits >>$HOME/offered; builtin compadd \"\$@\" }"
        zpty -w shell "finish() { _main_complete; print -- >$HOME/ended }; zle -C finish list-choices finish; bindkey '^I' finish"
        zpty -w -n shell "$*"$'\t'
        for ((i = 0; i < 6000; i++)); do
            [ -e $HOME/ended ] && break
            sleep 0.05
        done
        zpty -d shell
        [ -e $HOME/ended ] || exit 1
        [ ! -e $HOME/offered ] || cat $HOME/offered
        """;

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("livepatchctl-shell-");
    private readonly string _address;

    /// <param name="names">What is said of patches without asking a daemon, so that many places can be tried in little time; none: the program is asked.</param>
    public Shells(string address, params string[] names)
    {
        _address = address;
        var program = Path.Combine(_home.CreateSubdirectory("bin").FullName, "livepatchctl");
        var known = names.Length > 0 ? $"[ \"$1\" != {CompletionScript.NamesVerb} ] || exec printf '%s\\n' {string.Join(' ', names)}\n" : "";
        File.WriteAllText(program, $"#!/bin/sh\n{known}exec {string.Join(' ', Ctl.CommandLine.Select(static w => $"'{w}'"))} \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Here = _home.CreateSubdirectory("here").FullName;
    }

    /// <summary>Where the shells stand: files in here are offered.</summary>
    public string Here { get; }

    private string PathOf(string shell) => Path.Combine(_home.FullName, $"script.{shell}");

    public void Replace(string shell, string script) => File.WriteAllText(PathOf(shell), script);

    /// <summary>The file with the script, written by the program when it is first asked for.</summary>
    public string ScriptOf(string shell)
    {
        var path = PathOf(shell);
        if (!File.Exists(path))
            File.WriteAllText(path, Ctl.Run(_address, "completion", shell).Succeeded().Output);
        return path;
    }

    /// <param name="line">The last word, empty where the line ends in a space, is being completed.</param>
    public string[] Offer(string shell, string line)
    {
        foreach (var file in (string[])["offered", "ended"])
            File.Delete(Path.Combine(_home.FullName, file));
        var result = shell switch
        {
            "bash" => Run("bash", ["--norc", "-c", Bash, "bash", .. line.Replace("=", " = ", StringComparison.Ordinal).Split(' ')]),
            "zsh" => Run("zsh", ["-f", "-c", Zsh, "zsh", line]),
            _ => Run("fish", ["--no-config", "-c", Fish, line]),
        };
        Assert.Equal("", result.Error);
        // fish tells what each is, behind a tab; zsh writes a space as "\ ".
        return [.. result.Succeeded().Lines.Select(static l => l.Split('\t')[0].Replace("\\ ", " ", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal)];
    }

    public CtlResult Run(string program, params string[] arguments)
    {
        var info = Ctl.Info([program, .. arguments], _address);
        info.WorkingDirectory = Here;
        info.Environment["PATH"] = $"{Path.Combine(_home.FullName, "bin")}:{Environment.GetEnvironmentVariable("PATH")}";
        info.Environment["HOME"] = _home.FullName;
        info.Environment["SCRIPT"] = ScriptOf(program);
        using var running = new RunningCtl(Ctl.Launch(info));
        return running.End().GetAwaiter().GetResult();
    }

    public void Dispose() => _home.Delete(recursive: true);

    public static bool Has(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(directory => File.Exists(Path.Combine(directory, program)));
}
