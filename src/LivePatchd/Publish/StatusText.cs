// The one line that `systemctl status` shows.
using LivePatchd.Core.Model;

namespace LivePatchd.Publish;

internal static class StatusText
{
    /// <param name="trouble">Null, or why a part of the daemon is out of service.</param>
    public static string Of(DaemonSnapshot snapshot, Reason? trouble)
    {
        var conditions = snapshot.Host.Conditions.Where(c => c.Reason != snapshot.Host.Reason || c.Detail.Length > 0).Select(c => c.ToString());
        return string.Join("; ", [Of(snapshot), .. conditions, .. trouble is { } reason ? [reason.Word()] : Array.Empty<string>()]);
    }

    private static string Of(DaemonSnapshot snapshot)
    {
        var host = snapshot.Host;
        if (host.State == "unsupported")
            return $"Unsupported: {host.Reason!.Value.Info().Sentence}";
        var counts = snapshot.Patches
            .Where(p => p.State is not PatchState.Reverted)
            .GroupBy(p => p.State)
            .OrderBy(g => g.Key)
            .Select(g => $"{g.Count()} {g.Key.Word()}");
        var text = string.Join(", ", counts);
        if (text.Length == 0)
            text = "no patches";
        if (host.TransitionPatch is { } patch)
            text += $"; {patch} in transition";
        return host.Reason is { } why ? $"Observing ({why.Word()}): {text}" : char.ToUpperInvariant(text[0]) + text[1..];
    }
}
