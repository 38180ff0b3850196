// A module file as `load` and `install` see it: its bytes, and what they say of themselves.
using System.Security.Cryptography;
using LivePatchd.Core.Elf;
using LivePatchd.Core.Model;
using LivePatchd.Ctl.Files;
using LivePatchd.Ctl.Output;

namespace LivePatchd.Ctl.Kpatch;

/// <param name="Contents">Null when the file is compressed.</param>
internal sealed record KpatchFile(string Path, byte[] Bytes, ModuleContents? Contents)
{
    public string Name => Contents?.Info.Name.Value ?? KpatchModules.NameOf(Path);

    public string Sha256 { get; } = Convert.ToHexStringLower(SHA256.HashData(Bytes));

    /// <summary>Whatever its present name says.</summary>
    public string Ending => Compressed.Kind(Bytes) switch
    {
        { Kind: "xz" } => ".ko.xz",
        { Kind: "zstd" } => ".ko.zst",
        { Kind: "gzip" } => ".ko.gz",
        _ => ".ko",
    };

    /// <summary>Null when it is no module; then <paramref name="why"/> says what it is.</summary>
    public static KpatchFile? Read(string path, out string why)
    {
        var file = ModuleFile.Read(path);
        if (file.Bytes is not { } bytes)
            return Refuse(file.Reason!.Value, file.Detail, out why);
        why = "";
        if (Compressed.Kind(bytes) is not null)
            return new KpatchFile(path, bytes, null);
        var result = ModuleReader.Read(bytes);
        return result.IsModule ? new KpatchFile(path, bytes, result.Contents) : Refuse(result.Reason.Value, result.Detail, out why);
    }

    private static KpatchFile? Refuse(Reason reason, string detail, out string why)
    {
        var info = reason.Info();
        why = $"{info.Word}: {TextOf.WithoutStop(info.Sentence)} ({detail})";
        return null;
    }
}
