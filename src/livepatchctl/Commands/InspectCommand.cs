// `inspect FILE`: all that a module file says about itself; no daemon and no privilege is needed.
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Files;
using LivePatchd.Ctl.Json;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Commands;

internal static class InspectCommand
{
    public static int Run(Session session, string path, bool asJson)
    {
        var what = $"inspect {path}";
        var file = ModuleFile.Read(path);
        if (file.Bytes is not { } bytes)
            return Refuse(session, what, file.Reason!.Value, file.Detail);
        if (Compressed.Kind(bytes) is { } compression)
            return session.Fail(ExitCode.Failed, what, $"the file is compressed with {compression.Kind}", $"decompress it first ({compression.Command})");
        var result = ModuleReader.Read(bytes);
        if (!result.IsModule)
            return Refuse(session, what, result.Reason.Value, result.Detail);
        if (asJson)
            JsonOut.Document(session.Terminal, json => ModuleJson.Members(json, path, bytes.Length, result.Contents));
        else
            ModuleText.Print(session.Terminal, path, bytes.Length, result.Contents);
        return ExitCode.Ok;
    }

    private static int Refuse(Session session, string what, Reason reason, string detail)
    {
        var info = reason.Info();
        return session.Fail(ExitCode.Failed, what, $"{info.Word}: {TextOf.WithoutStop(info.Sentence)} ({detail})", Next(info));
    }

    // The table's next steps are for a file in the daemon's directory.
    private static string Next(ReasonInfo info) => info.Reason switch
    {
        Reason.UnreadableFile => "check the path and its permissions",
        Reason.NotARegularFile => "name the module itself",
        Reason.FileChanging => "try again when it has been written",
        Reason.MalformedModule => "build the module again",
        _ => info.NextStep,
    };
}
