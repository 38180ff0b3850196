// Reads one configuration file whole and bounded, without ever blocking on what is not a file. Only what root alone can change counts.
using LivePatchd.Core.Config;
using LivePatchd.Core.Model;
using LivePatchd.Linux.Native;
using LivePatchd.Linux.Store;
using Microsoft.Win32.SafeHandles;

namespace LivePatchd.Linux.Config;

internal static class ConfigFile
{
    private const int TypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int CharacterDevice = 0x2000;
    private const uint WantBasics = 0x7FF;

    /// <summary>Null when there is no such file; a fragment with an error when it cannot be read, or somebody else may write to it.</summary>
    public static ConfigFragment? Read(string path, DirectoryTrust trust)
    {
        // Non-blocking: opening a FIFO must not wait for a writer.
        using var file = new SafeFileHandle(LibC.open(path, LibC.ReadOnly | LibC.NonBlock | LibC.CloseOnExec, 0), ownsHandle: true);
        if (file.IsInvalid)
        {
            var errno = Sys.LastError();
            return errno is Errno.ENOENT or Errno.ENOTDIR ? Missing(path) : ConfigFragment.Unreadable(path, 0, $"cannot be opened: {errno}");
        }
        switch (Type(file))
        {
            case FileType.Null:
                return YamlFragmentReader.Read(path, []);
            case FileType.Other:
                return ConfigFragment.Unreadable(path, 0, "not a regular file");
        }
        if (Distrusted(file, path, trust) is { } why)
            return ConfigFragment.Unreadable(path, 0, $"not read: {why}");
        try
        {
            var bytes = new byte[YamlFragmentReader.MaxBytes + 1];
            var length = 0;
            for (var read = -1; read != 0 && length < bytes.Length; length += read)
                read = RandomAccess.Read(file, bytes.AsSpan(length), length);
            return YamlFragmentReader.Read(path, bytes.AsSpan(0, length));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ConfigFragment.Unreadable(path, 0, $"cannot be read: {ConfigText.Quote(e.Message)}");
        }
    }

    /// <summary>Null when only root can change the file, put another in its place, or lead the path elsewhere.</summary>
    private static string? Distrusted(SafeFileHandle file, string path, DirectoryTrust trust)
    {
        var stat = Sys.Stat(file);
        if (!stat.IsOk)
            return stat.WithoutValue.ToString();
        if (!trust.MayOwn(stat.Value.Uid))
            return $"the file is owned by uid {stat.Value.Uid}; only root may own it";
        if (stat.Value.OthersMayWrite)
            return $"the file has mode {Convert.ToString(stat.Value.Mode & 0xFFF, 8).PadLeft(4, '0')}; only root may write to it";
        var real = new FileInfo($"/proc/self/fd/{file.DangerousGetHandle()}").LinkTarget ?? path;
        return new[] { path, real }.Select(p => Path.GetDirectoryName(p)!).Distinct().Select(d => DistrustedDirectory(d, trust)).FirstOrDefault(static d => d is not null);
    }

    private static string? DistrustedDirectory(string path, DirectoryTrust trust)
    {
        var opened = Sys.Open(path, LibC.PathOnly | LibC.Directory);
        if (!opened.IsOk)
            return opened.WithoutValue.ToString();
        using var directory = opened.Value;
        return trust.Check(directory, path)?.Detail;
    }

    private enum FileType
    {
        Regular,
        Null,
        Other,
    }

    private static unsafe FileType Type(SafeFileHandle file)
    {
        LibC.StatX stat;
        if (LibC.statx(file, "", LibC.AtEmptyPath, WantBasics, &stat) != 0)
            return FileType.Other;
        return (stat.Mode & TypeMask) switch
        {
            RegularFile => FileType.Regular,
            // /dev/null, by its number: a link to it masks a file.
            CharacterDevice when (stat.DeviceMajorOfNode, stat.DeviceMinorOfNode) == (1, 3) => FileType.Null,
            _ => FileType.Other,
        };
    }

    /// <summary>A link that leads nowhere was put there by somebody who meant something: it is not the same as no file.</summary>
    private static ConfigFragment? Missing(string path) =>
        new FileInfo(path).LinkTarget is null ? null : ConfigFragment.Unreadable(path, 0, "the symbolic link leads nowhere");
}
