// `show NAME`: everything that is known about one patch.
using LivePatchd.Bus;
using LivePatchd.Core.Model;
using LivePatchd.Core.Policy.Impact;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Json;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class ShowCommand
{
    private const int MaxListed = 20;
    private const int LabelWidth = 12;

    public static int Run(Session session, string argument, bool asJson)
    {
        var name = NameArgument.Canonical(argument);
        var what = $"show {argument}";
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return session.Fail(what, daemon.Error);
        using var connection = daemon.Value;
        var found = connection.Patch(name);
        if (!found.IsOk)
            return session.Fail(what, found.Error);
        var patch = connection.WithEvidence(found.Value);
        var history = connection.History(name);
        // A daemon that keeps no history yet can still show its patches.
        if (!history.IsOk && history.Error.Name is not (BusErrorNames.UnknownMethod or BusErrorNames.AccessDenied))
            return session.Fail(what, history.Error);
        var latest = history.IsOk ? HistoryFacts.Parse(history.Value)?.Entries.LastOrDefault() : null;
        if (asJson)
        {
            JsonOut.Document(session.Terminal, json =>
            {
                json.WriteStartObject("patch");
                PatchJson.Members(json, patch);
                json.WriteEndObject();
                json.WritePropertyName("impact");
                if (latest is null)
                    json.WriteNullValue();
                else
                    ImpactJson.Write(json, latest);
            });
        }
        else
        {
            Print(session, patch);
            if (latest is not null)
                Print(session, latest);
        }
        return ExitCode.Ok;
    }

    private static void Print(Session session, PatchFacts patch)
    {
        var terminal = session.Terminal;
        terminal.Out.WriteLine(Paint.Strong.On(TextOf.Clean(patch.Name), terminal.HasColour));
        var facts = new Facts(terminal, LabelWidth);
        facts.Add("State", PatchText.StateAndReason(patch.State, patch.Reason), Paints.Of(patch.KnownState));
        facts.Add("Since", When(patch.StateSince));
        facts.Add("Why", patch.KnownReason?.Sentence);
        facts.Add("Soak ends", When(patch.SoakUntil));
        facts.Add(patch.KnownState is PatchState.Quarantined || patch.Grade is not null ? "Evidence" : "Detail", patch.Detail);
        facts.Add("Grade", patch.Grade);
        facts.Add("Next", patch.KnownReason is { } reason ? PatchText.NextStep(reason, patch.Name) : null);
        facts.Add("Last error", patch.LastError);
        facts.Add("Attempts", patch.Attempts == 0 ? null : $"{patch.Attempts} failed");
        facts.Add("Retry", When(patch.RetryAt));
        facts.Add("Loaded", When(patch.LoadedSince));
        facts.Add("Origin", patch.Origin == "none" ? null : patch.Origin);
        facts.Add("Version", patch.Version);
        facts.Add("Signed by", patch.Signature is "unsigned" or null ? null : $"{patch.Signer ?? "nobody known"} ({patch.Signature})");
        facts.Add("Ignored", patch.ManifestIgnored.Count == 0 ? null : $"{string.Join(", ", patch.ManifestIgnored)} of its manifest, which is not signed", Paint.Bad);
        facts.Add("Kernel", patch.KernelRelease);
        facts.Add("File", patch.File);
        facts.Add("SHA256", patch.Sha256);
        facts.Add("Build ID", patch.BuildId);
        facts.Add("Identity", Identity(patch.Identity), patch.Identity == "differs" ? Paint.Bad : Paint.None);
        facts.Add("Cumulative", patch.Replace switch { true => "yes", false => "no", null => null });
        facts.Add("Stack order", patch.StackOrder?.ToString(System.Globalization.CultureInfo.InvariantCulture));
        facts.Add("CVEs", string.Join(", ", patch.Cves));
        const string More = "; --json shows all";
        facts.AddList("Objects", [.. patch.Objects.Select(static o => $"{o.Name} ({o.State.Replace('-', ' ')})")], MaxListed, More);
        facts.AddList("Functions", [.. patch.Functions.Select(static f => $"{f.Object}:{f.Name}")], MaxListed, More);

        string? When(DateTimeOffset? time) => time is { } at ? TimeText.LocalAndRelative(at, session.Clock) : null;
    }

    private static void Print(Session session, HistoryEntry entry)
    {
        var terminal = session.Terminal;
        var facts = new Facts(terminal, LabelWidth);
        facts.Add("Last change", ImpactText.Summary(entry));
        facts.Add("Begun", TimeText.LocalAndRelative(entry.Time, session.Clock));
        terminal.Out.WriteLine();
        foreach (var line in ImpactText.Lines(entry, terminal))
            terminal.Out.WriteLine(line);
    }

    private static string? Identity(string? identity) => identity switch
    {
        "match" => "what runs is the file: the build ids are the same",
        "differs" => "what runs is not the file: the build ids differ",
        "unknown" => "not known: the file or the loaded module has no build id",
        _ => identity,
    };
}
