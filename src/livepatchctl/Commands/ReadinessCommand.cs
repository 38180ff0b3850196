// `readiness [KERNEL]`: what would be left of today's fixes after a reboot into each installed kernel.
using LivePatchd.Bus;
using LivePatchd.Ctl.Client;
using LivePatchd.Ctl.Files;
using LivePatchd.Ctl.Json;
using LivePatchd.Ctl.Output;
using LivePatchd.Ctl.Readiness;

namespace LivePatchd.Ctl.Commands;

/// <param name="Kernel">Null: every installed one.</param>
/// <param name="Root">Before every path; for tests.</param>
internal sealed record ReadinessQuestion(string? Kernel, bool Json, string Root);

internal static class ReadinessCommand
{
    // Where files are put in the daemon's own configuration, and all that is known without it.
    private const string DefaultDirectory = "/var/lib/livepatchd/patches";

    public static int Run(Session session, ReadinessQuestion question)
    {
        var what = question.Kernel is { } asked ? $"readiness {asked}" : "readiness";
        var look = Look(session);
        if (!look.IsOk && Failure.Of(look.Error).ExitCode != ExitCode.Unreachable)
            return session.Fail(what, look.Error);
        var host = look.IsOk ? look.Value.Host : null;
        var running = host?.KernelRelease ?? RunningKernel.Read(question.Root).Release;
        if (InstalledKernels.List(question.Root, running) is not { } installed)
            return session.Fail(ExitCode.NotAuthorised, what, $"{InstalledKernels.Modules} cannot be read", "try sudo");
        if (question.Kernel is { } kernel && !installed.Contains(kernel))
            return session.Fail(ExitCode.NoSuchPatch, what, "no such kernel is installed", $"ls {InstalledKernels.Modules}");
        if (installed.Count == 0)
            return session.Fail(ExitCode.NoSuchPatch, what, "no kernel is installed here", $"ls {InstalledKernels.Modules}");

        var report = Report(session, question, look.IsOk ? look.Value : null, running, installed);
        var exitCode = Judge(report);
        if (!look.IsOk)
            session.Terminal.Error.WriteLine(TextOf.Clean($"livepatchctl: {what}: {TextOf.WithoutStop(Failure.Of(look.Error).Why)}; by the files alone:"));
        if (question.Json)
            JsonOut.Document(session.Terminal, json => ReadinessJson.Members(json, report, exitCode));
        else
            ReadinessText.Print(session.Terminal, report);
        return exitCode;
    }

    /// <summary>A loss that is known counts before what is not known.</summary>
    public static int Judge(ReadinessReport report) =>
        report.Kernels.Any(static k => k.IsWanting) ? ExitCode.CheckPending
        : report.Kernels.Any(static k => k.Folder.Unreadable.Count > 0) ? ExitCode.NotAuthorised
        : report.Host is null ? ExitCode.Unreachable
        : ExitCode.Ok;

    private static ReadinessReport Report(
        Session session, ReadinessQuestion question, (HostFacts Host, List<PatchFacts> Patches)? look, string? running, IReadOnlyList<string> installed)
    {
        var host = look?.Host;
        var unknown = new List<string>();
        IReadOnlyList<string> directories = host is { Directories.Count: > 0 } ? host.Directories : [DefaultDirectory];
        if (host is null)
            unknown.Add("what is fixed now, and which directories are configured");
        var marks = StandingMarks.Read(question.Root);
        unknown.AddRange(marks.Unknown);
        IReadOnlyList<PatchFacts> inForce = [.. (look?.Patches ?? []).Where(static p => p.Cves.Count > 0 && CveAnswer.IsInForce(p))];
        List<string>? fixedNow = look is null ? null : [.. inForce.SelectMany(static p => p.Cves).Distinct().Order(StringComparer.Ordinal)];
        List<string> unnamed = [.. (look?.Patches ?? []).Where(static p => p is { Cves.Count: 0, IsLoaded: true }).Select(static p => p.Name)];
        var loads = host is null or { State: HostFacts.Running };
        return new(
            host,
            running,
            directories,
            inForce,
            [
                .. installed.Where(k => question.Kernel is null || k == question.Kernel)
                    .Select(k => KernelOutlook.Of(k, k == running, PatchFolder.Read(question.Root, directories, k, marks, session.Now), fixedNow, unnamed, loads)),
            ],
            unknown);
    }

    private static BusResult<(HostFacts Host, List<PatchFacts> Patches)> Look(Session session)
    {
        var daemon = session.Connect();
        if (!daemon.IsOk)
            return daemon.Error;
        using var connection = daemon.Value;
        var host = connection.Host();
        return host.IsOk ? connection.Patches().Then(patches => (host.Value, patches)) : host.Error;
    }
}
