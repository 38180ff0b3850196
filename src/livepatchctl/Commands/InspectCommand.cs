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
        var unpacked = ModuleImage.Of(bytes);
        if (unpacked.Bytes is not { } image)
            return Refuse(session, what, unpacked.Reason!.Value, unpacked.Detail);
        var result = ModuleReader.Read(image);
        if (!result.IsModule)
            return Refuse(session, what, result.Reason.Value, result.Detail);
        var described = new FileSize(bytes.Length, Compressed.Kind(unpacked.Compression)?.Kind, image.Length);
        if (asJson)
            JsonOut.Document(session.Terminal, json => ModuleJson.Members(json, path, described, result.Contents));
        else
            ModuleText.Print(session.Terminal, path, described, result.Contents);
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
        Reason.CorruptCompression => "fetch or compress the file again",
        _ => info.NextStep,
    };
}
