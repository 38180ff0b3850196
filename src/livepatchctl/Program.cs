// Entry point of livepatchctl: terminal, command line, verb, exit code.
using LivePatchd.Ctl;
using LivePatchd.Ctl.CommandLine;
using LivePatchd.Ctl.Output;

using var terminal = Terminal.OfProcess();
try
{
    var code = CommandTree.Run(args, terminal);
    terminal.Out.Flush();
    return code;
}
catch (IOException broken)
{
    // The reader has gone (`livepatchctl list | head -1`) or the disk is full: nothing more can be said on standard output.
    terminal.Abandon();
    const int BrokenPipe = 32;
    if (broken.HResult != BrokenPipe)
        terminal.Error.WriteLine($"livepatchctl: output: {TextOf.Clean(broken.Message)}; check where the output goes");
    return ExitCode.Failed;
}
