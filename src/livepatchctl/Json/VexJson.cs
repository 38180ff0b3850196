// An OpenVEX document about the running kernel: the fields of that specification alone, and no claim that is not proved.
using System.Reflection;
using System.Text.Json;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Json;

/// <param name="Build">`uname -v`; null when it cannot be known.</param>
internal sealed record VexSubject(string KernelRelease, string? Build, string Author, string DaemonVersion)
{
    /// <summary>A package URL, which OpenVEX takes as the identifier of a product.</summary>
    public string Purl => $"pkg:generic/linux@{Uri.EscapeDataString(KernelRelease)}{(Build is null ? "" : $"?uname-v={Uri.EscapeDataString(Build)}")}";
}

internal static class VexJson
{
    // OpenVEX 0.2.0.
    private const string Context = "https://openvex.dev/ns/v0.2.0";

    public static void Write(Terminal terminal, VexSubject subject, IReadOnlyList<CveAnswer> answers, DateTimeOffset now) => JsonOut.Foreign(terminal, json =>
    {
        json.WriteString("@context", Context);
        json.WriteString("@id", $"urn:uuid:{Guid.NewGuid():D}");
        json.WriteString("author", subject.Author);
        json.Moment("timestamp", now);
        json.WriteNumber("version", 1);
        json.WriteString("tooling", $"livepatchctl {Version()}, livepatchd {subject.DaemonVersion}");
        json.Objects("statements", answers, answer => Statement(json, subject, answer));
    });

    private static void Statement(Utf8JsonWriter json, VexSubject subject, CveAnswer answer)
    {
        json.WriteStartObject("vulnerability");
        json.WriteString("name", answer.Cve);
        json.WriteEndObject();
        // Known to be true since then; the others as of the document.
        if (answer.IsFixed)
            json.Moment("timestamp", answer.Patch!.LoadedSince);
        json.Objects("products", [subject], product =>
        {
            json.WriteString("@id", product.Purl);
            json.WriteStartObject("identifiers");
            json.WriteString("purl", product.Purl);
            json.WriteEndObject();
        });
        var status = StatusOf(subject, answer);
        json.WriteString("status", status);
        json.WriteString("status_notes", answer.Patch is { } patch ? $"{Sentence(answer)} {Identity(patch)}" : Sentence(answer));
        if (status == "affected")
            json.WriteString("action_statement", Next(answer.Patch!));
    }

    // A patch that was built for this very kernel and names the CVE is its author's word that the kernel has it. Nothing else here is.
    private static string StatusOf(VexSubject subject, CveAnswer answer) => answer.Verdict switch
    {
        CveVerdict.Fixed or CveVerdict.FixedWhereLoaded => "fixed",
        CveVerdict.NotFixed when answer.Patch!.KernelRelease == subject.KernelRelease && answer.Patch.Reason != Reason.WrongKernel.Word() => "affected",
        _ => "under_investigation",
    };

    private static string Sentence(CveAnswer answer) => answer.IsFixed
        ? $"Every task has run livepatch {CveAnswer.Named(answer.Patch!)}, whose manifest names the CVE, since {TimeText.Rfc3339(answer.Patch!.LoadedSince!.Value)} (state {answer.Patch.State}, transition 0).{(answer.NotLoaded is { } absent ? $" Fixed where it is loaded: {absent}, and the kernel patches what comes." : "")}"
        : $"By livepatches {CveAnswer.Word(answer.Verdict)}: {answer.Why}.";

    private static string Identity(PatchFacts patch) =>
        $"livepatch={patch.Name} version={patch.Version ?? "-"} sha256={patch.Sha256 ?? "-"} build-id={patch.BuildId ?? "-"}";

    private static string Next(PatchFacts patch) => patch.KnownReason is { } reason ? PatchText.NextStep(reason, patch.Name) : $"Run livepatchctl show {patch.Name}.";

    private static string? Version() => typeof(VexJson).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
}
