// Who has the name in the kernel that a patch of ours asks for, in words.
using LivePatchd.Core.Model;

namespace LivePatchd.Core.Planning;

internal static class Occupant
{
    public static string Describe(Situation s)
    {
        var loaded = s.Loaded!;
        var what = loaded switch
        {
            { Directory: true } => "a livepatch that somebody else loaded",
            { Livepatch: true, State: KernelPatchState.Unused } => $"the rest of a livepatch that is out of action: rmmod {s.Name}",
            { Livepatch: true } => "the rest of a livepatch, which something still holds",
            _ => "a module that is no livepatch",
        };
        return loaded.BuildId is { } there && s.Wanted?.Module.BuildId is { } file && there != file
            ? $"{what}; its build id is {there.Hex[..Math.Min(12, there.Hex.Length)]}, the file's {file.Hex[..Math.Min(12, file.Hex.Length)]}"
            : what;
    }
}
