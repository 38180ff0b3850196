// What can still be written on a real ext4, empty, down to root's reserve, and full.
using System.Diagnostics;
using LivePatchd.Core.Policy.Preflight;
using LivePatchd.Linux.Preflight;

namespace LivePatchd.Linux.Tests.Preflight;

public sealed class DiskRoomTests : IDisposable
{
    private const string State = "/var/lib/livepatchd";

    private readonly FakeRoot root = new();
    private bool mounted;

    public void Dispose()
    {
        if (mounted)
            Run("umount", root.Path(State));
        root.Dispose();
    }

    [Fact]
    public void AnExt4_ThatGivesRootNothingMore_HasNoRoom()
    {
        Mount();
        Assert.True(DiskRoom.Of(root.Root) > 8 << 20);

        // Down to root's reserve: others get nothing, and this process still does.
        var drive = new DriveInfo(root.Path(State));
        Fill("others", drive.AvailableFreeSpace);
        Assert.True(drive.AvailableFreeSpace < Foresight.DiskLeft);
        Assert.True(DiskRoom.Of(root.Root) >= Foresight.DiskLeft);

        // Nothing more: ext4 keeps blocks that it counts as free and gives to nobody.
        Fill("root", long.MaxValue);
        Assert.True(drive.TotalFreeSpace > Foresight.DiskLeft, $"{drive.TotalFreeSpace} bytes are free");
        Assert.True(DiskRoom.Of(root.Root) < Foresight.DiskLeft);

        File.Delete(root.Path($"{State}/root"));
        Assert.True(DiskRoom.Of(root.Root) >= Foresight.DiskLeft);
        Assert.Equal(["lost+found", "others"], Directory.EnumerateFileSystemEntries(root.Path(State)).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void WhatIsNotThere_IsNotKnown() => Assert.Null(DiskRoom.Of(root.Root));

    private void Mount()
    {
        root.MakeDirectory(State);
        var image = root.Path("/image");
        using (var file = File.Create(image))
            file.SetLength(64 << 20);
        mounted = Run("mkfs.ext4", "-q", "-F", image) && Run("mount", "-o", "loop", image, root.Path(State));
        Assert.SkipUnless(mounted, "no ext4 can be made and mounted here");
    }

    private void Fill(string name, long bytes)
    {
        using var file = new FileStream(root.Path($"{State}/{name}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        var chunk = new byte[64 << 10];
        try
        {
            for (var left = bytes; left > 0; left -= chunk.Length)
                file.Write(chunk.AsSpan(0, (int)Math.Min(left, chunk.Length)));
        }
        catch (IOException)
        {
            // Full.
        }
    }

    private static bool Run(params string[] command)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
