// kpatch's usage, to the letter: it goes to standard error, and the exit code is 1 whatever asked for it.
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Kpatch;

internal static class KpatchUsage
{
    // Commands are padded to 20 columns, which leaves blanks at the end of short ones.
    private const int CommandWidth = 20;

    private static readonly (string Command, string[] Lines)[] Commands =
    [
        ("install [-k|--kernel-version=<kernel version>] <module>", ["install patch module to be loaded at boot"]),
        ("uninstall [-k|--kernel-version=<kernel version>] <module>", ["uninstall patch module"]),
        ("", []),
        ("load --all", ["load all installed patch modules into the running kernel"]),
        ("load <module>", ["load patch module into the running kernel"]),
        ("unload --all", ["unload all patch modules from the running kernel"]),
        ("unload <module>", ["unload patch module from the running kernel"]),
        ("", []),
        ("info <module>", ["show information about a patch module"]),
        ("", []),
        ("list",
        [
            "list installed patch modules. If the system supports the livepatch",
            "'stack_order' sysfs attribute, provide the list of currently livepatched",
            "functions",
        ]),
        ("", []),
        ("signal",
        [
            "signal/poke any process stalling the current patch transition. This is",
            "only useful on systems that have the sysfs livepatch signal interface. On",
            "other systems, the signaling should be done automatically by the OS",
            "and this subcommand is a no-op.",
        ]),
        ("", []),
        ("version", ["display the kpatch version"]),
    ];

    public static int Show(Terminal terminal)
    {
        terminal.Out.Flush();
        terminal.Error.WriteLine("usage: kpatch <command> [<args>]\n\nValid commands:");
        foreach (var (command, lines) in Commands)
        {
            terminal.Error.WriteLine(command.Length > 0 ? $"   {command.PadRight(CommandWidth)}" : "");
            foreach (var line in lines)
                terminal.Error.WriteLine($"      {line}");
        }
        return ExitCode.Failed;
    }
}
