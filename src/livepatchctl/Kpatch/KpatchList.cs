// `list`: what the kernel has, who holds a transition up, and what is installed, in the blocks that other programs read.
using LivePatchd.Ctl.Client;

namespace LivePatchd.Ctl.Kpatch;

internal static class KpatchList
{
    public static int Run(KpatchHost host)
    {
        var daemon = host.Session.Connect();
        if (!daemon.IsOk)
            return host.Die(daemon.Error);
        using var connection = daemon.Value;
        var facts = connection.Host();
        if (!facts.IsOk)
            return host.Die(facts.Error);
        var patches = connection.Patches();
        if (!patches.IsOk)
            return host.Die(patches.Error);

        var loaded = patches.Value.Where(InKernel.Is).ToList();
        var running = facts.Value.Transition?.Patch;
        var blocking = running is not null && connection.Blocking() is { IsOk: true, Value: var text } ? BlockingDocument.Parse(text)?.Running : null;
        host.Say("Loaded patch modules:");
        foreach (var patch in loaded)
            host.Say($"{patch.Name} [{InKernel.State(patch, patch.Name == running, patch.Name == blocking?.Patch ? blocking.Enabling : null)}]");
        if (running is not null)
            Stalled(host, blocking?.Blockers ?? []);
        host.Say("");
        host.Say("Installed patch modules:");
        foreach (var release in KpatchModules.Releases(host))
        {
            foreach (var file in KpatchModules.Installed(host, release))
                host.Say($"{KpatchModules.NameOf(file)} ({release})");
        }
        PatchedFunctions.Show(host, loaded, running);
        return ExitCode.Ok;
    }

    // In place of a stack the daemon gives the one function on it that matters.
    private static void Stalled(KpatchHost host, IEnumerable<BlockerFacts> blockers)
    {
        host.Say("");
        host.Say("Stalled processes:");
        foreach (var blocker in blockers)
        {
            host.Say($"{blocker.Tid} {blocker.Comm}");
            host.Say("stack:");
            if (blocker.Function is { } function)
                host.Say(function);
        }
    }
}
