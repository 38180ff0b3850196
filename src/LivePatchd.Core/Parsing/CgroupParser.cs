// Reads /proc/PID/cgroup: the systemd unit or the container that a task belongs to.
using System.Text;

namespace LivePatchd.Core.Parsing;

public static class CgroupParser
{
    private const int ShortId = 12;
    private const int FullId = 64;

    private static readonly (string Prefix, string Runtime)[] Scopes =
    [
        ("docker-", "docker"),
        ("libpod-", "podman"),
        ("cri-containerd-", "containerd"),
        ("nerdctl-", "containerd"),
        ("crio-", "cri-o"),
    ];

    /// <summary>
    /// "ssh.service", "user@1000.service/foo.service" (a unit of a user's manager), "docker:0123456789ab", or the slice where there is
    /// nothing narrower. Null for the root cgroup.
    /// </summary>
    public static string? Owner(ReadOnlySpan<byte> text)
    {
        // With both hierarchies mounted, systemd keeps the units in whichever it manages; the other one shows the root.
        string? unified = null, named = null, other = null;
        while (TextFields.TakeLine(ref text, out var line))
        {
            var colon = line.IndexOf((byte)':');
            var second = colon < 0 ? -1 : line[(colon + 1)..].IndexOf((byte)':');
            if (second < 0)
                continue;
            var controllers = line.Slice(colon + 1, second);
            var owner = OwnerOf(Encoding.UTF8.GetString(line[(colon + 1 + second + 1)..]));
            if (controllers.IsEmpty)
                unified ??= owner;
            else if (controllers.SequenceEqual("name=systemd"u8))
                named ??= owner;
            else
                other ??= owner;
        }
        return unified ?? named ?? other;
    }

    private static string? OwnerOf(string path)
    {
        string? unit = null, manager = null, slice = null, parent = null;
        var pods = false;
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            // The outermost container is the one that the host knows; what lies in it is the container's own affair.
            if (Container(part, parent, pods) is { } container)
                return Printable.Line(container);
            parent = part;
            pods |= part.StartsWith("kubepods", StringComparison.Ordinal);
            if (part.EndsWith(".slice", StringComparison.Ordinal))
                slice = part;
            else if (IsUnit(part))
            {
                if (part.StartsWith("user@", StringComparison.Ordinal))
                    manager = part;
                unit = part;
            }
        }
        var name = manager is not null && unit != manager ? $"{manager}/{unit}" : unit ?? slice;
        return name is null ? null : Printable.Line(name);
    }

    private static string? Container(string part, string? parent, bool pods)
    {
        foreach (var (prefix, runtime) in Scopes)
        {
            if (part.StartsWith(prefix, StringComparison.Ordinal) && Id(WithoutScope(part)[prefix.Length..]) is { } id)
                return $"{runtime}:{id}";
        }
        if (part.StartsWith("machine-", StringComparison.Ordinal) && part.EndsWith(".scope", StringComparison.Ordinal))
            return "machine:" + Unescape(WithoutScope(part)["machine-".Length..]);
        if (part.StartsWith("lxc.payload.", StringComparison.Ordinal))
            return "lxc:" + part["lxc.payload.".Length..];
        if (parent == "lxc")
            return "lxc:" + part;
        if (part.Length == FullId && Id(part) is { } bare)
            return parent == "docker" ? "docker:" + bare : pods ? "kubernetes:" + bare : null;
        return null;
    }

    private static bool IsUnit(string part) =>
        part.EndsWith(".service", StringComparison.Ordinal) || part.EndsWith(".scope", StringComparison.Ordinal)
        || part.EndsWith(".socket", StringComparison.Ordinal) || part.EndsWith(".mount", StringComparison.Ordinal)
        || part.EndsWith(".swap", StringComparison.Ordinal);

    private static string WithoutScope(string part) =>
        part.EndsWith(".scope", StringComparison.Ordinal) ? part[..^".scope".Length] : part;

    // Runtimes print the first twelve digits; "libpod-conmon-…" and the like are not ids.
    private static string? Id(string text) =>
        text.Length >= ShortId && text.All(char.IsAsciiHexDigitLower) ? text[..ShortId] : null;

    // systemd writes '-' inside of names as "\x2d".
    private static string Unescape(string text)
    {
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text[i + 1] == 'x'
                && char.IsAsciiHexDigit(text[i + 2]) && char.IsAsciiHexDigit(text[i + 3]))
            {
                plain.Append((char)Convert.ToByte(text.Substring(i + 2, 2), 16));
                i += 3;
            }
            else
            {
                plain.Append(text[i]);
            }
        }
        return plain.ToString();
    }
}
