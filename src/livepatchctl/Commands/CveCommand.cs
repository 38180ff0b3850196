// `check --cve` and `check --vex`: is a CVE fixed in the running kernel by a livepatch, as lines, JSON or an OpenVEX document.
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Files;
using LivePatchd.Ctl.Json;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

/// <param name="Cves">Empty with <paramref name="Vex"/>: every one that a patch here names.</param>
/// <param name="Author">Of the statement; null: whoever operates this host.</param>
/// <param name="Root">Before /proc; for tests.</param>
internal sealed record CveQuestion(IReadOnlyList<string> Cves, bool Json, bool Vex, string? Author, string Root);

internal static class CveCommand
{
    private const string Verb = "check";

    public static int Run(Session session, CveQuestion question)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(Verb, daemon.Error);
        using var connection = daemon.Value;
        var host = connection.Host();
        if (!host.IsOk)
            return session.Fail(Verb, host.Error);
        var patches = connection.Patches();
        if (!patches.IsOk)
            return session.Fail(Verb, patches.Error);
        IEnumerable<string> asked = question.Cves.Count > 0 ? question.Cves : patches.Value.SelectMany(static p => p.Cves).Order(StringComparer.Ordinal);
        var refused = host.Value.RefusedFiles.Count;
        List<CveAnswer> answers = [.. asked.Distinct().Select(cve => CveAnswer.Of(cve, patches.Value, refused, session.Clock))];
        if (answers.Count == 0)
            return session.Fail(ExitCode.Failed, Verb, "no patch here names a CVE, so there is nothing to state", "livepatchctl list");
        var exitCode = CveAnswer.Worst(answers);
        if (question.Vex)
            VexJson.Write(session.Terminal, SubjectOf(host.Value, question), answers, session.Now);
        else if (question.Json)
            JsonOut.Document(session.Terminal, json => CheckJson.Members(json, host.Value, answers, exitCode));
        else
            Print(session.Terminal, answers);
        return exitCode;
    }

    // A line a CVE for programs; a terminal gets what does not fit on lines of their own.
    private static void Print(Terminal terminal, List<CveAnswer> answers)
    {
        const string Indent = "  ";
        foreach (var answer in answers)
        {
            var text = TextOf.Clean(answer.Text);
            var lines = terminal.IsTty ? TextOf.Wrap(text, terminal.Columns - Indent.Length) : [text];
            terminal.Out.WriteLine(string.Join($"\n{Indent}", lines));
        }
    }

    private static VexSubject SubjectOf(HostFacts host, CveQuestion question)
    {
        var local = RunningKernel.Read(question.Root);
        // Only the host's own daemon speaks of the host's own kernel.
        return new VexSubject(host.KernelRelease, local.Release == host.KernelRelease ? local.Build : null, question.Author ?? $"operator of {local.HostName ?? "this host"}", host.Version);
    }
}
