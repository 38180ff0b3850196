// Opens a file of a watched directory without following or waiting for anything, judges it, and reads it whole.
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Store;

/// <summary>The bytes, and the file they are from; dispose of it to free the bytes.</summary>
internal sealed class SourceFile : IDisposable
{
    private const long HolesMatterFrom = 1 << 20;

    // More than a compressing file system saves on any module.
    private const int MaxHolesRatio = 32;

    private readonly NativeBuffer buffer;

    private SourceFile(NativeBuffer buffer, FileIdentity identity)
    {
        this.buffer = buffer;
        Identity = identity;
    }

    internal FileIdentity Identity { get; }

    internal NativeBuffer Buffer => buffer;

    internal ReadOnlySpan<byte> Content => buffer.Content;

    /// <summary>Exactly one of the two results is set.</summary>
    internal static (SourceFile? File, Refusal? Refusal) Read(SafeFileHandle directory, string name, DirectoryTrust trust, int maxSize)
    {
        // Non-blocking, so that opening a FIFO does not wait for a writer.
        var opened = Sys.OpenBeneath(directory, name, LibC.ReadOnly | LibC.NonBlock, crossMounts: false);
        if (opened.Errno is Errno.EXDEV)
            return (null, new Refusal(Reason.NotARegularFile, "something is mounted over it"));
        if (!opened.IsOk)
        {
            // A symbolic link, or a socket.
            var irregular = opened.Errno is Errno.ELOOP or Errno.ENXIO;
            return (null, Refusal.Of(irregular ? Reason.NotARegularFile : Reason.UnreadableFile, opened.WithoutValue));
        }
        using var file = opened.Value;
        Failpoint.At("intake.opened");
        var before = Sys.Stat(file);
        if (!before.IsOk)
            return (null, Refusal.Of(Reason.UnreadableFile, before.WithoutValue));
        return (Judge(file, before.Value, trust, maxSize) ?? JudgeHoles(file, before.Value)) is { } refusal ? (null, refusal) : ReadWhole(file, before.Value);
    }

    public void Dispose() => buffer.Dispose();

    private static Refusal? Judge(SafeFileHandle handle, FileIdentity file, DirectoryTrust trust, int maxSize)
    {
        if (!file.IsRegular)
            return new Refusal(Reason.NotARegularFile, "not a regular file");
        if (!trust.MayOwn(file.Uid))
            return new Refusal(Reason.UnsafeOwner, $"the file is owned by uid {file.Uid}");
        if (file.OthersMayWrite)
            return new Refusal(Reason.UnsafePermissions, $"the file has mode {Convert.ToString(file.Mode & 0xFFF, 8).PadLeft(4, '0')}");
        // A content-addressed system (OSTree, Nix) links root's files on mounts that nobody writes to.
        if (file.Links != 1 && !(file.Uid == trust.Owner && Sys.IsOnReadOnlyMount(handle)))
            return new Refusal(Reason.HardLinkedFile, $"the file has {file.Links} names");
        return file.Size <= 0 || file.Size > maxSize
            ? new Refusal(Reason.FileTooLarge, $"{file.Size} bytes; 1 to {maxSize} are accepted")
            : null;
    }

    /// <summary>A file that is nearly all holes costs its author nothing, and would cost its whole size in memory here.</summary>
    private static Refusal? JudgeHoles(SafeFileHandle file, FileIdentity stat) =>
        stat.Size > HolesMatterFrom && Sys.AllocatedBytes(file) is { IsOk: true } allocated && allocated.Value < stat.Size / MaxHolesRatio
        && Sys.DataBytes(file, stat.Size / MaxHolesRatio) is var data && data < stat.Size / MaxHolesRatio
            ? new Refusal(Reason.FileTooLarge, $"{stat.Size} bytes, of which {data} are no holes")
            : null;

    private static (SourceFile?, Refusal?) ReadWhole(SafeFileHandle file, FileIdentity before)
    {
        // One byte more than expected, to see a file that has grown.
        var allocated = NativeBuffer.Allocate((int)before.Size + 1);
        if (!allocated.IsOk)
            return (null, Refusal.Of(Reason.UnreadableFile, allocated.WithoutValue));
        var buffer = allocated.Value;
        var read = Sys.Read(file, buffer.All);
        var after = Sys.Stat(file);
        if (read.IsOk && after.IsOk && read.Value == before.Size && after.Value == before)
        {
            buffer.Length = read.Value;
            Failpoint.At("intake.read");
            return (new SourceFile(buffer, before), null);
        }
        buffer.Dispose();
        if (!read.IsOk)
            return (null, Refusal.Of(Reason.UnreadableFile, read.WithoutValue));
        return (null, after.IsOk
            ? new Refusal(Reason.FileChanging, "the file changed while it was read")
            : Refusal.Of(Reason.UnreadableFile, after.WithoutValue));
    }
}
