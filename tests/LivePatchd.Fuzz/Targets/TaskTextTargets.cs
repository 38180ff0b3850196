// The files of /proc/PID: tasks choose their own names, and other users the text of their cgroups.
using System.Collections.Immutable;
using LivePatchd.Core.Model;
using LivePatchd.Core.Parsing;

namespace LivePatchd.Fuzz.Targets;

internal static class TaskTextTargets
{
    public static IReadOnlyList<Target> List { get; } =
    [
        new Target<TaskStat?>("proc-stat", static input => TaskStatParser.Parse(input), static (_, stat) =>
        {
            if (stat is not { } task)
                return "none";
            Expect.OneLine(task.Comm, 65, "the command's name");
            Expect.That(char.IsAsciiLetter(task.State), "a state is a letter");
            return $"{task.Kthread} {char.IsAsciiLetterUpper(task.State)} {Expect.Size(task.Comm.Length)}";
        })
        {
            Words = Words.Of("(", ")", ") S ", " 4194560 ", " 2097152 ", "\u001b[2J", "\n", "\u00ff"),
        },
        new Target<(uint? Uid, ulong? Caps)>("proc-status", static input => (TaskStatParser.Uid(input), ProcStatusCaps.Effective(input)), static (_, read) =>
            $"{read.Uid is null} {read.Caps is null} {read.Caps > uint.MaxValue}")
        {
            Words = Words.Of("Uid:\t", "CapEff:\t", "000001ffffffffff", "4294967295", "\n"),
        },
        new Target<string?>("cgroup", static input => CgroupParser.Owner(input), static (_, owner) =>
        {
            Expect.OneLine(owner, 257, "the owner");
            Expect.That(owner is null || owner.Length > 0, "an owner has a name");
            return owner is null ? "none" : owner.IndexOf(':') is >= 0 and < 12 and var colon ? owner[..colon] : owner.Contains('/', StringComparison.Ordinal) ? "user" : "unit";
        })
        {
            Words = Words.Of("0::/", "1:name=systemd:/", "/docker-", ".scope", ".slice/", "user@1000.service/", "/kubepods/", "/lxc/", "lxc.payload.", "machine-", "\\x2d", "\\x0a", "0123456789abcdef", "/", "\n"),
        },
        new Target<ImmutableArray<StackFrame>>("stack", static input => KernelStackParser.Parse(input), static (_, frames) =>
        {
            Expect.That(frames.Length <= 128, "at most 128 frames");
            foreach (var frame in frames)
            {
                Expect.OneLine(frame.Symbol, 257, "a function");
                Expect.OneLine(frame.Module, 257, "a module");
                Expect.That(frame.Symbol.Length > 0, "a frame has a function");
            }
            return $"{Expect.Size(frames.Length)} {frames.Any(static f => f.Module is not null)}";
        })
        {
            Words = Words.Of("[<0>] ", "+0x1/0x2", " [", "]", "\n", "0xffffffffc0000000"),
        },
    ];
}
