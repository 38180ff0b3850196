// What of a detail is for everybody. The kernel's log is kept from ordinary users on most hosts, and its lines carry addresses.
using System.Text.RegularExpressions;
using LivePatchd.Core.Model;

namespace LivePatchd.Publish;

internal static partial class PublicDetail
{
    /// <summary>Reasons whose detail quotes the kernel's log.</summary>
    private static readonly Reason[] Quoting = [Reason.KernelOops, Reason.KernelWarning, Reason.KernelLockup];

    /// <summary>The counters that moved, in place of the kernel's lines; nothing that looks like an address in any other.</summary>
    public static string Of(Reason? reason, string detail)
    {
        if (reason is { } direct && Quoting.Contains(direct))
            return Counters(detail);
        // The words of the crash guard, without the line that the kernel kept.
        if (reason is Reason.HostCrashed || detail.StartsWith($"{Reason.HostCrashed.Word()}: ", StringComparison.Ordinal))
            return string.Join("; ", detail.Split("; ").Take(2));
        // A verdict that has a reason of its own names the cause before the words of it.
        foreach (var cause in Quoting)
        {
            var at = detail.IndexOf($"{cause.Word()}: ", StringComparison.Ordinal);
            if (at < 0)
                continue;
            var end = at + cause.Word().Length;
            var counters = Counters(detail[(end + 2)..]);
            return counters.Length == 0 ? detail[..end] : $"{detail[..end]}: {counters}";
        }
        return Address().Replace(detail, "(address)");
    }

    private static string Counters(string detail) => string.Join("; ", detail.Split("; ").Where(static part => Counter().IsMatch(part)));

    [GeneratedRegex(@"^(oops_count|warn_count|tainted) [0-9]+ -> [0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Counter();

    /// <summary>Shorter and longer ones are counts, build ids and digests.</summary>
    [GeneratedRegex(@"\b(0x)?[0-9a-f]{12,16}\b", RegexOptions.CultureInvariant)]
    private static partial Regex Address();
}
