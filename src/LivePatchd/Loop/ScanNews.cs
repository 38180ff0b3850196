// What a scan of the directories has found for the first time and the log must tell.
using LivePatchd.Core.Model;
using LivePatchd.Log;

namespace LivePatchd.Loop;

internal static class ScanNews
{
    public static void Tell(DaemonLog log, DesiredState before, DesiredState now)
    {
        foreach (var refused in now.Refused.Except(before.Refused))
            log.Problem(EventKind.Refused, $"{refused.Path}: {refused.Detail}", refused.Reason, refused.Name);
        foreach (var unreadable in now.Unreadable.Except(before.Unreadable))
            log.Problem(EventKind.Refused, $"{unreadable.Path} cannot be read: {unreadable.Detail}; nothing loaded from there is taken out", Reason.DirectoryUnreadable, errno: unreadable.Errno);
    }
}
