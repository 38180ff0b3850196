// One file of a release directory, judged as a scan judges it.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;
using LivePatchd.Linux.Trust;

namespace LivePatchd.Linux.Tests.Store;

internal static class IntakeByPath
{
    /// <param name="path">Absolute, on the host.</param>
    public static IntakeResult Intake(this PatchStore store, SystemRoot root, string path)
    {
        var directoryPath = root.Path(Path.GetDirectoryName(path)!);
        var opened = Sys.Open(directoryPath, LibC.PathOnly | LibC.Directory);
        if (!opened.IsOk)
            return PatchStore.Refuse(path, null, Refusal.Of(Reason.UnreadableFile, opened.WithoutValue));
        using var directory = opened.Value;
        return store.Trust.Check(directory, directoryPath, own: 2) is { } untrusted
            ? PatchStore.Refuse(path, null, untrusted)
            : store.IntakeFrom(directory, Path.GetFileName(path), path, TrustAnchors.Without("nothing was read"), out _);
    }
}
