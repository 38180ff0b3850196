// The switches that stop the daemon from touching the kernel: read before any configuration, whatever its state.
using System.Text;
using LivePatchd.Core.Config;

namespace LivePatchd.Linux.Config;

public enum KillSwitchLevel
{
    None,

    /// <summary>Look and report, change nothing.</summary>
    Observe,

    /// <summary>Do not run.</summary>
    Off,
}

/// <param name="Source">The file or kernel command line word that set it; empty for None.</param>
public sealed record KillSwitch(KillSwitchLevel Level, string Source)
{
    private const string DisabledFile = "/etc/livepatchd/disabled";
    private const string CommandLineFile = "/proc/cmdline";
    private const int MaxCommandLine = 1 << 16;

    public static KillSwitch None { get; } = new(KillSwitchLevel.None, "");

    /// <summary>The strictest switch wins. A switch that cannot be read counts as set: it may be.</summary>
    public static KillSwitch Read(SystemRoot root)
    {
        var file = ReadFile(root.Path(DisabledFile));
        var line = ReadCommandLine(root.Path(CommandLineFile));
        return line.Level > file.Level ? line : file;
    }

    /// <summary>Words the way the kernel splits them: spaces inside double quotes do not end a word.</summary>
    internal static KillSwitch FromCommandLine(string commandLine)
    {
        var found = None;
        foreach (var word in Words(commandLine))
        {
            var level = word switch
            {
                "livepatchd.mode=apply" => KillSwitchLevel.None,
                "livepatchd.mode=off" => KillSwitchLevel.Off,
                "kpatch.enable=0" => KillSwitchLevel.Observe,
                // Somebody wanted something of it: an unknown word must not mean "go on".
                _ when word.StartsWith("livepatchd.mode=", StringComparison.Ordinal) => KillSwitchLevel.Observe,
                _ => KillSwitchLevel.None,
            };
            if (level > found.Level)
                found = new KillSwitch(level, $"{ConfigText.Quote(word)[1..^1]} on the kernel command line");
        }
        return found;
    }

    private static KillSwitch ReadFile(string path)
    {
        try
        {
            _ = File.GetAttributes(path);
            return new KillSwitch(KillSwitchLevel.Observe, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return None;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new KillSwitch(KillSwitchLevel.Observe, $"{path} (cannot be looked at)");
        }
    }

    private static KillSwitch ReadCommandLine(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var bytes = new byte[MaxCommandLine];
            return FromCommandLine(Encoding.UTF8.GetString(bytes, 0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return None;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new KillSwitch(KillSwitchLevel.Observe, $"{path} (cannot be read)");
        }
    }

    private static IEnumerable<string> Words(string line)
    {
        var word = new StringBuilder();
        var quoted = false;
        foreach (var c in line.Append(' '))
        {
            if (c == '"')
                quoted = !quoted;
            else if (quoted || c is not (' ' or '\n' or '\t' or '\0'))
                word.Append(c);
            else if (word.Length > 0)
            {
                yield return word.ToString();
                word.Clear();
            }
        }
        // An unclosed quote swallows the rest; the words in it may be switches all the same.
        foreach (var rest in word.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            yield return rest;
    }
}
