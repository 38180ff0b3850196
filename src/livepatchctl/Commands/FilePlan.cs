// What a module file alone tells of its future, where no daemon can be asked: the document of a plan with one patch in it.
using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Core.Planning;
using LivePatchd.Core.Policy;
using LivePatchd.Ctl.Files;
using LivePatchd.Ctl.Json;

namespace LivePatchd.Ctl.Commands;

internal static class FilePlan
{
    private const string Release = "/proc/sys/kernel/osrelease";
    private const string NotAsked = "what the running kernel says to it is not known without the daemon";

    /// <summary>Null when the file cannot be read as a module at all.</summary>
    public static string? Document(string path, out (string Why, string Next) refused)
    {
        refused = default;
        var file = ModuleFile.Read(path);
        if (file.Bytes is not { } bytes)
        {
            refused = ($"{file.Reason!.Value.Word()} ({file.Detail})", "check the path and its permissions");
            return null;
        }
        var image = ModuleImage.OfFileNamed(Path.GetFileName(path), bytes);
        var result = image.Bytes is null ? null : ModuleReader.Read(image.Bytes);
        var (reason, detail) = result is null ? (image.Reason, image.Detail)
            : result.IsModule ? Judge(result.Contents)
            : (result.Reason, result.Detail);
        return Write(path, bytes, result?.Contents, reason, detail);
    }

    private static (Reason? Reason, string Detail) Judge(ModuleContents contents)
    {
        var info = contents.Info;
        if (!info.Livepatch)
            return (Reason.NotALivepatch, $"module {info.Name} has no livepatch=Y");
        if (ObjectName.Unmatched(contents.Patch) is { } unmatched)
            return (Reason.ObjectNeverMatches, unmatched);
        var running = Running();
        return running is null || info.KernelRelease == running ? (null, "") : (Reason.WrongKernel, $"built for {info.KernelRelease}, running {running}");
    }

    private static string? Running()
    {
        try
        {
            return File.ReadAllText(Release).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Write(string path, byte[] bytes, ModuleContents? contents, Reason? reason, string detail)
    {
        var to = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(to))
        {
            json.WriteStartObject();
            json.WriteNumber("schema", JsonOut.Schema);
            json.Strings("steps", []);
            json.Strings("holds", []);
            json.WriteStartArray("patches");
            json.WriteStartObject();
            json.WriteString("patch", contents?.Info.Name.Value);
            json.WriteString("file", path);
            json.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(bytes)));
            json.WriteString("outcome", (reason is null ? PredictedOutcome.Unknown : PredictedOutcome.Refused).Word());
            json.WriteString("reason", reason?.Word());
            json.WriteString("detail", reason is null ? NotAsked : detail);
            json.WriteString("errno", reason is { } known ? KernelAnswers.To(known)?.ToString() : null);
            json.Objects("notes", contents?.Notes ?? [], note =>
            {
                json.WriteString("kind", "unknown");
                json.WriteString("text", note);
            });
            json.WriteEndObject();
            json.WriteEndArray();
            json.Strings("conditions", []);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(to.WrittenSpan);
    }
}
